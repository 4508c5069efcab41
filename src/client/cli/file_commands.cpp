// SPDX-License-Identifier: AGPL-3.0-or-later
#include <unistd.h>

#include <cerrno>

#include "client/apply/downloader.hpp"
#include "client/apply/uploader.hpp"
#include "client/cli/commands.hpp"
#include "client/cli/remote_files.hpp"
#include "client/scan/local_name.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

namespace json = boost::json;

std::string_view text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}
std::int64_t number(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}
std::string pad(std::string value, std::size_t width) {
  if (value.size() < width) value.insert(0, width - value.size(), ' ');
  return value;
}

void print_item(Output& out, const json::object& item) {
  const auto kind = text(item, "kind");
  const auto size = kind == "file" ? format_bytes(number(item, "size")) : std::string("-");
  const auto* suffix = kind == "folder" ? "/" : "";
  out.line(pad(size, 11) + "  " + format_time(number(item, "modified_at")) + "  " +
           std::string(text(item, "filename")) + suffix);
  out.json(item);
}

}  // namespace

int run_ls(Context& context, const std::string& path) {
  auto api = context.make_api();
  RemoteFiles files(api);
  const auto item = files.resolve(path);
  if (item.has_error()) return explain(context.out, item.error());
  if (text(*item, "kind") != "folder") {
    print_item(context.out, *item);
    return exit_ok;
  }
  const auto outcome = files.for_each_child(std::string(text(*item, "id")), [&](const json::object& child) {
    print_item(context.out, child);
    return true;
  });
  return outcome.has_error() ? explain(context.out, outcome.error()) : exit_ok;
}

int run_put(Context& context, const std::string& local, const std::string& remote_path) {
  const auto path = std::filesystem::absolute(local);
  const auto stat = find_stat(path);
  if (!stat || stat->type != EntryType::file) {
    context.out.message("clouddocs: " + local +
                        (stat ? " is not a file. To upload a folder, use: clouddocs sync" : " does not exist."));
    return exit_failed;
  }
  auto api = context.make_api();
  RemoteFiles files(api);
  const auto place = files.find_target(remote_path, path.filename().string());
  if (place.has_error()) return explain(context.out, place.error());
  if (place->existing && text(*place->existing, "kind") != "file") {
    return explain(context.out, {core::Errc::name_taken, "There is a folder of that name on the server."});
  }
  const Workers workers(2);
  std::atomic<std::int64_t> done{0};
  std::vector<UploadJob> jobs{{path, stat->stamp, {}, false, {}}};
  Uploader uploader(files.remote(), files.space(), workers, [&](std::int64_t bytes) {
    context.out.progress({Progress::Phase::uploading, done += bytes, stat->stamp.size});
  });
  uploader.run(jobs);
  context.out.end_progress();
  if (!jobs[0].known) {
    context.out.message("clouddocs: " + local + ": " +
                        (jobs[0].is_changing ? "it is being written to: try again" : jobs[0].failure));
    return exit_failed;
  }
  Operation operation;
  operation.type = Operation::Type::put;
  operation.id = place->existing ? RemoteFiles::node_id(*place->existing) : files.make_id();
  operation.parent = place->parent;
  operation.name = place->name;
  operation.base_version = place->existing ? number(*place->existing, "version") : 0;
  operation.size = stat->stamp.size;
  std::vector<content::ManifestNode> nodes;
  operation.manifest = content::make_manifest(jobs[0].known->chunks, nodes);
  operation.sha256 = jobs[0].known->sha256;
  operation.modified_at = stat->modified_at();
  operation.executable = stat->executable;
  const auto outcome = files.commit({operation});
  if (outcome.has_error()) return explain(context.out, outcome.error());
  context.out.line("Uploaded " + local + " (" + format_bytes(operation.size) + ").");
  context.out.json(
      json::object{{"id", files.file_id(operation.id)}, {"filename", operation.name}, {"size", operation.size}});
  return exit_ok;
}

int run_get(Context& context, const std::string& remote_path, const std::string& local) {
  auto api = context.make_api();
  RemoteFiles files(api);
  const auto item = files.resolve(remote_path);
  if (item.has_error()) return explain(context.out, item.error());
  if (text(*item, "kind") != "file") {
    context.out.message("clouddocs: " + remote_path + " is not a file. To download a folder, use: clouddocs sync");
    return exit_failed;
  }
  std::filesystem::path path = local.empty() ? "." : local;
  const auto name = std::string(text(*item, "filename"));
  if (std::filesystem::is_directory(path)) path /= to_local_name(name, false);
  DownloadJob job;
  job.target = parse_item(json::value(*item)).node;
  job.temporary = path.parent_path() / (std::string(temporary_prefix) + core::to_text(job.target.id));
  const State nothing_known(":memory:");
  const Workers workers(2);
  std::atomic<std::int64_t> done{0};
  Downloader downloader(
      files.remote(), nothing_known, files.space(), workers, [](const NodeId&) { return std::filesystem::path(); },
      [&](std::int64_t bytes) {
        context.out.progress({Progress::Phase::downloading, done += bytes, job.target.size});
      });
  std::vector<DownloadJob> jobs{job};
  downloader.run(jobs);
  context.out.end_progress();
  if (!jobs[0].is_done) {
    context.out.message("clouddocs: " + (jobs[0].failure.empty() ? remote_path + " was changed meanwhile: try again"
                                                                 : jobs[0].failure));
    return exit_failed;
  }
  if (::rename(job.temporary.c_str(), path.c_str()) != 0) throw FileError("write", path, errno);
  context.out.line("Downloaded " + path.string() + " (" + format_bytes(job.target.size) + ").");
  context.out.json(json::object{{"path", path.string()}, {"size", job.target.size}});
  return exit_ok;
}

int run_rm(Context& context, const std::string& path) {
  auto api = context.make_api();
  RemoteFiles files(api);
  const auto item = files.resolve(path);
  if (item.has_error()) return explain(context.out, item.error());
  const auto outcome = api.send_json(
      "DELETE", "/api/files/" + std::string(text(*item, "id")) + "?base_seq=" + std::to_string(number(*item, "seq")));
  if (outcome.has_error()) return explain(context.out, outcome.error());
  context.out.line("Moved " + path + " to the trash. To bring it back: clouddocs trash --restore " +
                   std::string(text(*item, "id")));
  context.out.json(*outcome);
  return exit_ok;
}

int run_mv(Context& context, const std::string& from, const std::string& to) {
  auto api = context.make_api();
  RemoteFiles files(api);
  const auto item = files.resolve(from);
  if (item.has_error()) return explain(context.out, item.error());
  const auto place = files.find_target(to, std::string(text(*item, "filename")));
  if (place.has_error()) return explain(context.out, place.error());
  const json::object body{
      {"base_seq", number(*item, "seq")}, {"filename", place->name}, {"parent_id", files.file_id(place->parent)}};
  const auto outcome = api.send_json("PATCH", "/api/files/" + std::string(text(*item, "id")), body);
  if (outcome.has_error()) return explain(context.out, outcome.error());
  context.out.line("Moved " + from + " to " + to + ".");
  context.out.json(*outcome);
  return exit_ok;
}

int run_mkdir(Context& context, const std::string& path) {
  auto api = context.make_api();
  RemoteFiles files(api);
  const auto id = files.make_folders(path);
  if (id.has_error()) return explain(context.out, id.error());
  context.out.line("Made " + path + ".");
  context.out.json(json::object{{"id", files.file_id(*id)}, {"path", path}});
  return exit_ok;
}

int run_versions(Context& context, const std::string& path, std::optional<std::int64_t> restore) {
  auto api = context.make_api();
  RemoteFiles files(api);
  const auto item = files.resolve(path);
  if (item.has_error()) return explain(context.out, item.error());
  const auto base = "/api/files/" + std::string(text(*item, "id")) + "/versions";
  if (restore) {
    const auto outcome = api.send_json("POST", base + "/" + std::to_string(*restore) + "/restore",
                                       {{"base_version", number(*item, "version")}});
    if (outcome.has_error()) return explain(context.out, outcome.error());
    context.out.line("Version " + std::to_string(*restore) + " of " + path + " is the current one again.");
    context.out.json(*outcome);
    return exit_ok;
  }
  const auto outcome = files.for_each(base, [&](const json::object& version) {
    const auto* current = version.if_contains("current");
    const bool is_current = current != nullptr && current->is_bool() && current->get_bool();
    context.out.line(pad(std::to_string(number(version, "version")), 5) +
                     pad(format_bytes(number(version, "size")), 12) + "  " +
                     format_time(number(version, "created_at")) + "  " + std::string(text(version, "device_name")) +
                     (is_current ? "  (current)" : ""));
    context.out.json(version);
    return true;
  });
  return outcome.has_error() ? explain(context.out, outcome.error()) : exit_ok;
}

int run_trash(Context& context, const std::string& restore_id, bool is_empty) {
  auto api = context.make_api();
  if (is_empty) {
    const auto outcome = api.send_json("DELETE", "/api/trash");
    if (outcome.has_error()) return explain(context.out, outcome.error());
    context.out.line("The trash is empty.");
    context.out.json(*outcome);
    return exit_ok;
  }
  if (!restore_id.empty()) {
    const auto outcome =
        api.send_json("POST", "/api/trash/" + core::percent_encode(restore_id) + "/restore", json::object{});
    if (outcome.has_error()) return explain(context.out, outcome.error());
    context.out.line("Brought back " + std::string(text(outcome->as_object(), "filename")) + ".");
    context.out.json(*outcome);
    return exit_ok;
  }
  RemoteFiles files(api);
  const auto outcome = files.for_each("/api/trash", [&](const json::object& item) {
    context.out.line(std::string(text(item, "id")) + "  " + format_time(number(item, "deleted_at")) + "  " +
                     std::string(text(item, "filename")));
    context.out.json(item);
    return true;
  });
  return outcome.has_error() ? explain(context.out, outcome.error()) : exit_ok;
}

}  // namespace clouddocs::client
