// SPDX-License-Identifier: AGPL-3.0-or-later
#include <csignal>

#include "client/cli/commands.hpp"
#include "client/engine/sync_engine.hpp"
#include "client/live/live_sync.hpp"
#include "client/remote/http_remote.hpp"

namespace clouddocs::client {
namespace {

// What a signal stops. Signal handlers can reach nothing else.
std::atomic<LiveSync*> running{nullptr};

void stop_running(int) {
  if (auto* live = running.load()) live->stop();
}

void print(Output& out, const SyncReport& report, bool is_live) {
  out.end_progress();
  for (const auto& conflict : report.conflicts) {
    out.message("Conflict: " + conflict.name + " was changed here and elsewhere; this device's version is now \"" +
                conflict.copy + "\".");
  }
  for (const auto& item : report.unsynced) out.message("Not synced: " + item.path + ": " + item.reason);
  out.json(to_json(report));
  if (report.uploaded + report.downloaded + report.remote_changes + report.local_changes == 0 && is_live) return;
  out.line("Sent " + std::to_string(report.remote_changes) + " changes (" + std::to_string(report.uploaded) +
           " contents), received " + std::to_string(report.local_changes) + " (" + std::to_string(report.downloaded) +
           " contents)." + (report.is_equal ? " Both sides are equal." : ""));
}

SyncOptions make_options(Context& context, const SyncFlags& flags, const std::filesystem::path& root,
                         const std::string& device) {
  SyncOptions options;
  options.root = root;
  options.device_name = device;
  options.threads = flags.threads;
  options.on_progress = [&out = context.out](const Progress& progress) { out.progress(progress); };
  options.allow_mass_delete = [&context, &flags](std::size_t count, std::size_t of, bool on_server) {
    return flags.allow_mass_delete ||
           context.out.ask("This would delete " + std::to_string(count) + " of " + std::to_string(of) + " files " +
                           (on_server ? "on the server" : "in this folder") + ". Go on?");
  };
  return options;
}

int run_live(Context& context, SyncEngine& engine, ApiClient& api, Remote& remote, const std::filesystem::path& root) {
  Watcher watcher(root);
  if (!watcher.is_complete()) {
    context.out.message(
        "There are more folders than this system lets a program watch: some changes will be found every ten minutes "
        "only. "
        "Raise fs.inotify.max_user_watches to find them at once.");
  }
  LiveOptions options;
  options.on_synced = [&](const SyncReport& report) { print(context.out, report, true); };
  options.on_trouble = [&](const std::string& text) {
    context.out.message("No connection to the server (" + text + "): trying again.");
  };
  LiveSync live(engine, api, remote, watcher, std::move(options));
  running = &live;
  std::signal(SIGINT, stop_running);
  std::signal(SIGTERM, stop_running);
  context.out.line("Keeping " + root.string() + " in sync. Stop with Ctrl-C.");
  live.run();
  running = nullptr;
  return exit_ok;
}

}  // namespace

int run_sync(Context& context, const SyncFlags& flags) {
  std::error_code error;
  const auto root = std::filesystem::canonical(flags.folder, error);
  if (error || !std::filesystem::is_directory(root)) {
    context.out.message("clouddocs: " + flags.folder + " is not a folder. Make it first.");
    return exit_usage;
  }
  if (!flags.is_once) context.patience = std::chrono::milliseconds(5'000);  // it tries for ever anyway
  auto api = context.make_api();
  const auto account = api.account();
  if (account.url.empty()) throw NotSignedIn("This device is not signed in. Run: clouddocs login URL --email EMAIL");
  const auto state_folder = context.home.folder_state(root);
  std::filesystem::create_directories(state_folder);
  std::filesystem::permissions(state_folder, std::filesystem::perms::owner_all);
  FolderLock lock(state_folder);
  if (!lock.try_lock()) {
    context.out.message("clouddocs: " + root.string() + " is being synced by another process already.");
    return exit_failed;
  }
  write_atomically(state_folder / "path", root.string() + "\n", 0600);
  State state(state_folder / "state.db");
  const auto owner = account.url + " " + account.email;
  if (const auto before = state.find_setting("account"); before && *before != owner) {
    context.out.message("clouddocs: " + root.string() + " is synced with another account (" + *before +
                        "). To start anew: clouddocs forget " + root.string());
    return exit_failed;
  }
  state.set_setting("account", owner);
  HttpRemote remote(api);
  SyncEngine engine(make_options(context, flags, root, account.device_name), state, remote, core::system_clock(),
                    core::system_random());
  if (!flags.is_once) return run_live(context, engine, api, remote, root);
  const auto report = engine.sync_once();
  print(context.out, report, false);
  if (!report.unsynced.empty()) static_cast<void>(remote.report(report.unsynced));
  return report.is_equal ? exit_ok : exit_incomplete;
}

int run_forget(Context& context, const std::string& folder) {
  const auto root = std::filesystem::weakly_canonical(std::filesystem::absolute(folder));
  const auto state_folder = context.home.folder_state(root);
  if (!std::filesystem::exists(state_folder / "path")) {
    context.out.message("clouddocs: " + root.string() + " is not a synced folder.");
    return exit_failed;
  }
  FolderLock lock(state_folder);
  if (!lock.try_lock()) {
    context.out.message("clouddocs: " + root.string() + " is being synced: stop that first.");
    return exit_failed;
  }
  std::filesystem::remove_all(state_folder);
  context.out.line("Forgotten. The files stay here and on the server.");
  context.out.json(boost::json::object{{"forgotten", root.string()}});
  return exit_ok;
}

}  // namespace clouddocs::client
