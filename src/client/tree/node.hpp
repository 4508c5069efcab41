// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "content/chunk.hpp"
#include "core/ids.hpp"

namespace clouddocs::client {

using core::NodeId;

enum class Kind : std::uint8_t { file, folder, symlink };

// What the file system says about an entry. Equal stamps: the content has not been touched. (inode, birth) names the object itself, so a
// renamed file is recognised.
struct Stamp {
  std::uint64_t inode = 0;
  std::int64_t birth = 0;  // ns; 0 where the file system does not know
  std::int64_t size = 0;
  std::int64_t mtime = 0;  // ns
  std::int64_t ctime = 0;  // ns
  auto operator<=>(const Stamp&) const = default;
  bool is_same_object(const Stamp& other) const { return inode == other.inode && birth == other.birth; }
};

// A file, folder or symlink as it stands in one of the three trees (synced, local, remote).
struct Node {
  NodeId id;
  NodeId parent;
  std::string name;
  Kind kind = Kind::file;
  bool executable = false;
  std::int64_t size = 0;
  std::int64_t modified_at = 0;  // microseconds
  content::Sha256 content_id{};  // files
  content::Sha256 sha256{};  // files of the remote tree: what the server says; zero: not known
  std::string target;  // symlinks
  std::int64_t version = 0;  // synced and remote trees
  std::int64_t seq = 0;  // synced and remote trees
  std::string local_name;  // local and synced trees: what it is called on the disk
  Stamp stamp;  // local and synced trees

  bool is_folder() const { return kind == Kind::folder; }
};

struct Place {
  NodeId parent;
  std::string name;
  auto operator<=>(const Place&) const = default;
};
inline Place place_of(const Node& node) { return {node.parent, node.name}; }
inline bool has_same_content(const Node& a, const Node& b) {
  return a.kind == b.kind && (a.kind != Kind::file || (a.size == b.size && a.content_id == b.content_id)) &&
         a.target == b.target;
}
inline bool has_same_meta(const Node& a, const Node& b) {
  return a.is_folder() || (a.modified_at == b.modified_at && a.executable == b.executable);
}

// How a tree differs from the synced one: nodes that are new or changed, and nodes that are gone (nullopt). What is not listed is as synced.
using Overlay = std::map<NodeId, std::optional<Node>>;

// A tree that can be asked. Not thread-safe.
class TreeView {
 public:
  virtual ~TreeView() = default;
  virtual std::optional<Node> find(const NodeId& id) const = 0;
  virtual std::optional<NodeId> find_child(const NodeId& parent, const std::string& name) const = 0;
};

}  // namespace clouddocs::client
