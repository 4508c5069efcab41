// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/remote/codec.hpp"
#include "client/remote/http_remote.hpp"

namespace clouddocs::client {

// The files of the personal space by path, for single commands. Items are as the server's JSON describes them.
class RemoteFiles {
 public:
  explicit RemoteFiles(ApiClient& api);

  using Visitor = std::function<bool(const boost::json::object&)>;  // false stops
  // Every item of a paged list.
  core::Result<> for_each(const std::string& path, const Visitor& visit);
  core::Result<> for_each_child(const std::string& folder_id, const Visitor& visit);

  // "/a/b", "a/b" or "" for the top. Errors: not_found.
  core::Result<boost::json::object> resolve(const std::string& path);

  struct Target {
    NodeId parent;
    std::string name;
    std::optional<boost::json::object> existing;
  };
  // Where something goes that is to be put at `path`: below it with `name` if it is a folder (or ends with a slash), else at it.
  core::Result<Target> find_target(const std::string& path, const std::string& name);
  // Makes the folder and those above it that do not exist.
  core::Result<NodeId> make_folders(const std::string& path);
  core::Result<> commit(std::vector<Operation> operations);

  Remote& remote() { return remote_; }
  SpaceId space();
  NodeId make_id();
  std::string file_id(const NodeId& id) { return core::to_text(FileId{space(), id}); }
  static NodeId node_id(const boost::json::object& item);

 private:
  void open();
  core::Result<std::optional<boost::json::object>> find_child(const std::string& folder_id, const std::string& name);

  ApiClient& api_;
  HttpRemote remote_;
  std::optional<Space> space_;
};

}  // namespace clouddocs::client
