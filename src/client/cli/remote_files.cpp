// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/cli/remote_files.hpp"

#include "client/scan/local_name.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

namespace json = boost::json;

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    if (end > at) out.push_back(to_remote_name(path.substr(at, end - at)).value_or(path.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

core::Error not_found(const std::string& path) {
  return {core::Errc::not_found, path + " does not exist on the server."};
}

bool is_folder(const json::object& item) { return item.at("kind").as_string() == "folder"; }

}  // namespace

RemoteFiles::RemoteFiles(ApiClient& api) : api_(api), remote_(api) {}

void RemoteFiles::open() {
  if (space_) return;
  auto spaces = remote_.spaces();
  if (spaces.has_error()) throw core::ErrorException(spaces.error());
  const auto personal = std::ranges::find(*spaces, "personal", &Space::kind);
  if (personal == spaces->end()) throw ProtocolError("the server names no personal space");
  space_ = std::move(*personal);
}
SpaceId RemoteFiles::space() {
  open();
  return space_->space;
}
NodeId RemoteFiles::make_id() { return core::make_id<NodeId>(core::system_clock(), core::system_random()); }
NodeId RemoteFiles::node_id(const json::object& item) {
  const auto id = core::parse_file_id(item.at("id").as_string());
  if (!id) throw ProtocolError("the server's answer holds a broken id");
  return id->node;
}

core::Result<> RemoteFiles::for_each(const std::string& path, const Visitor& visit) {
  const auto* joint = path.find('?') == std::string::npos ? "?" : "&";
  std::string cursor;
  while (true) {
    TRY(const auto page, api_.get(path + (cursor.empty() ? "" : joint + ("cursor=" + core::percent_encode(cursor)))));
    for (const auto& item : page.at("items").as_array()) {
      if (!visit(item.as_object())) return {};
    }
    const auto& next = page.at("next_cursor");
    if (!next.is_string()) return {};
    cursor = next.get_string();
  }
}
core::Result<> RemoteFiles::for_each_child(const std::string& folder_id, const Visitor& visit) {
  return for_each("/api/files?limit=1000&parent_id=" + folder_id, visit);
}

core::Result<std::optional<json::object>> RemoteFiles::find_child(const std::string& folder_id,
                                                                  const std::string& name) {
  std::optional<json::object> found;
  TRY_CHECK(for_each_child(folder_id, [&](const json::object& item) {
    if (item.at("filename").as_string() == name) found = item;
    return !found;
  }));
  return found;
}

core::Result<json::object> RemoteFiles::resolve(const std::string& path) {
  open();
  TRY(const auto root, api_.get("/api/files/" + file_id(space_->root) + "/metadata"));
  json::object item = root.as_object();
  for (const auto& name : split(path)) {
    if (!is_folder(item)) return not_found(path);
    TRY(auto child, find_child(std::string(item.at("id").as_string()), name));
    if (!child) return not_found(path);
    item = std::move(*child);
  }
  return item;
}

core::Result<RemoteFiles::Target> RemoteFiles::find_target(const std::string& path, const std::string& name) {
  auto names = split(path);
  auto there = resolve(path);
  if (there.has_value() && is_folder(*there)) {
    TRY(auto existing, find_child(std::string(there->at("id").as_string()), name));
    return Target{node_id(*there), to_remote_name(name).value_or(name), std::move(existing)};
  }
  if (there.has_error() && (there.error().code != core::Errc::not_found || path.ends_with('/'))) return there.error();
  const auto& last = names.back();
  std::string above;
  for (std::size_t i = 0; i + 1 < names.size(); ++i) above += "/" + names[i];
  TRY(const auto parent, resolve(above));
  if (!is_folder(parent)) return not_found(above);
  return Target{node_id(parent), last, there.has_value() ? std::optional(*there) : std::nullopt};
}

core::Result<NodeId> RemoteFiles::make_folders(const std::string& path) {
  open();
  NodeId at = space_->root;
  std::vector<Operation> operations;
  for (const auto& name : split(path)) {
    if (operations.empty()) {
      TRY(auto child, find_child(file_id(at), name));
      if (child) {
        if (!is_folder(*child)) return core::Error(core::Errc::name_taken, name + " on the server is not a folder.");
        at = node_id(*child);
        continue;
      }
    }
    Operation operation;
    operation.type = Operation::Type::mkdir;
    operation.id = make_id();
    operation.parent = at;
    operation.name = name;
    at = operation.id;
    operations.push_back(std::move(operation));
  }
  if (!operations.empty()) TRY_CHECK(commit(std::move(operations)));
  return at;
}

core::Result<> RemoteFiles::commit(std::vector<Operation> operations) {
  Batch batch{space(), core::to_text(make_id()), std::move(operations)};
  TRY(const auto answer, remote_.commit(batch));
  for (const auto& result : answer.results) {
    if (!result.is_ok()) return core::Error(result.code, result.detail);
  }
  return {};
}

}  // namespace clouddocs::client
