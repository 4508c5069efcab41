// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "content/manifest.hpp"
#include "features/storage/node.hpp"
#include "features/storage/space_store.hpp"

namespace clouddocs::storage {

inline constexpr int max_depth = 128;

// A content of a file.
struct Version {
  std::int64_t number = 0;
  content::Sha256 content_id{};
  std::int64_t size = 0;
  content::Sha256 sha256{};
  bool verified = false;
  core::Bytes manifest;  // content::encode_manifest
  UserId author;
  std::string device_name;
  Timestamp created_at;
};

// The order of a listing. Folders come first in each.
enum class SortKey { name, modified_at, size };
struct Sort {
  SortKey key = SortKey::name;
  bool descending = false;
};
// Where a page of a listing ended: the values of the last row.
struct ListPosition {
  bool after_folders = false;
  std::string name_key;
  std::int64_t number = 0;
  NodeId id;
};

// SQL on `files` and `file_versions`. Stateless.
class TreeStore {
 public:
  // One step of the way from a node to the root.
  struct Ancestor {
    NodeId id;
    std::string filename;
    NodeKind kind;
    bool trashed;
  };

  static Task<std::optional<Node>> find(Transaction& tx, SpaceId space, NodeId id);
  static Task<std::optional<Node>> find_by_name(Transaction& tx, SpaceId space, NodeId parent,
                                                std::string_view filename);
  // The node itself and its ancestors up to the root, at most max_depth + 2 of them. Empty when the node does not exist.
  static Task<std::vector<Ancestor>> ancestors(Transaction& tx, SpaceId space, NodeId id);
  // How many levels of folders lie below (0 for an empty folder), counted up to max_depth + 1.
  static Task<int> height(Transaction& tx, SpaceId space, NodeId id);

  // False when the id is in use.
  static Task<bool> insert(Transaction& tx, SpaceId space, UserId author, const Node& node);
  // Writes every changeable column of the row.
  static Task<> update(Transaction& tx, SpaceId space, const Node& node);
  // Sets tree_seq of the folder and all its ancestors.
  static Task<> touch_upwards(Transaction& tx, SpaceId space, NodeId folder, std::int64_t seq);

  static Task<std::vector<Node>> list(Transaction& tx, SpaceId space, NodeId parent, const Sort& sort,
                                      const std::optional<ListPosition>& after, int limit);
  // Live children, in no order.
  static Task<std::vector<Node>> children(Transaction& tx, SpaceId space, NodeId parent, int limit);
  static Task<std::vector<Node>> trash(Transaction& tx, SpaceId space, std::optional<Timestamp> before,
                                       NodeId before_id, int limit);
  static Task<std::vector<Node>> changes(Transaction& tx, SpaceId space, std::int64_t after_seq, int limit);
  // Nodes of the subtree, the deepest first; the root of the subtree comes last.
  static Task<std::vector<Node>> subtree_bottom_up(Transaction& tx, SpaceId space, NodeId root, int limit);

  static Task<> insert_version(Transaction& tx, SpaceId space, NodeId file, const Version& version);
  static Task<std::optional<Version>> find_version(Transaction& tx, SpaceId space, NodeId file, std::int64_t number);
  // Newest first.
  static Task<std::vector<Version>> versions(Transaction& tx, SpaceId space, NodeId file, int limit,
                                             std::int64_t before = std::numeric_limits<std::int64_t>::max());
};

}  // namespace clouddocs::storage
