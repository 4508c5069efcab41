// SPDX-License-Identifier: AGPL-3.0-or-later
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/commands.hpp"
#include "app/world.hpp"
#include "features/storage/fsck.hpp"
#include "features/storage/garbage_collector.hpp"

namespace clouddocs::app {
namespace {

namespace json = boost::json;

struct FsckArguments {
  std::string depth = "structure";
  bool repair = false;
  bool as_json = false;
};

int run_fsck(const Config& config, const FsckArguments& arguments) {
  World world(config);
  storage::FsckOptions options;
  options.repair = arguments.repair;
  if (arguments.depth == "sample") options.depth = storage::FsckDepth::sample;
  if (arguments.depth == "full") options.depth = storage::FsckDepth::full;
  json::array problems;
  storage::Fsck fsck(world.chunks, options, [&](const std::string& text) {
    if (arguments.as_json) {
      problems.emplace_back(text);
    } else {
      std::cout << text << "\n";
    }
  });
  const auto outcome = world.run(fsck.run());
  if (outcome.has_error()) throw std::runtime_error(outcome.error().detail);
  const auto& report = outcome.value();
  if (arguments.as_json) {
    std::cout << json::serialize(json::object{{"spaces", report.spaces},
                                              {"nodes", report.nodes},
                                              {"versions", report.versions},
                                              {"chunks", report.chunks},
                                              {"chunks_read", report.chunks_read},
                                              {"bytes_read", report.bytes_read},
                                              {"problems", std::move(problems)},
                                              {"repaired", report.repaired}})
              << "\n";
  } else {
    std::cout << "Checked " << report.spaces << " spaces, " << report.nodes << " nodes, " << report.versions
              << " versions, " << report.chunks << " chunks (" << report.chunks_read << " read, " << report.bytes_read
              << " bytes): " << report.problems << " problems, " << report.repaired << " repaired.\n";
  }
  return report.problems == 0 ? 0 : 1;
}

}  // namespace

void add_storage_commands(CLI::App& cli, const AddCommon& add_common, const LoadConfig& load, int& code) {
  auto arguments = std::make_shared<FsckArguments>();
  auto* fsck = cli.add_subcommand("fsck", "Check that everything stored is whole; exit code 1 when it is not");
  add_common(*fsck);
  fsck->add_option("depth", arguments->depth, "structure (default), sample (reads every 64th chunk) or full")
      ->check(CLI::IsMember({"structure", "sample", "full"}));
  fsck->add_flag("--repair", arguments->repair, "Correct counters and mark contents as verified; never deletes");
  fsck->add_flag("--json", arguments->as_json, "Machine-readable");
  fsck->callback([arguments, load, &code] { code = run_fsck(load(), *arguments); });

  auto* gc = cli.add_subcommand("gc", "Free what retention has released: old trash, versions, chunks, objects");
  add_common(*gc);
  gc->callback([load, &code] {
    World world(load());
    world.run(world.database->migrate());
    storage::GarbageCollector collector(world.chunks, world.door);
    const auto outcome = world.run(collector.run());
    if (outcome.has_error()) throw std::runtime_error(outcome.error().detail);
    std::cout << json::serialize(to_json(outcome.value())) << "\n";
    code = 0;
  });
}

}  // namespace clouddocs::app
