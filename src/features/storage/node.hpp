// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "content/chunk.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "database/database.hpp"

namespace clouddocs::storage {

using core::FileId;
using core::NodeId;
using core::SpaceId;
using core::Timestamp;
using core::UserId;

enum class NodeKind : std::uint8_t { file = 1, folder = 2, symlink = 3 };
std::string_view to_text(NodeKind kind);

// A row of the tree.
struct Node {
  NodeId id;
  std::optional<NodeId> parent;
  NodeKind kind = NodeKind::file;
  std::string filename;
  std::int64_t size = 0;
  std::int64_t version = 0;
  std::optional<content::Sha256> content_id;
  std::optional<content::Sha256> sha256;
  bool executable = false;
  Timestamp modified_at;
  Timestamp uploaded_at;
  std::optional<Timestamp> deleted_at;
  std::optional<Timestamp> purged_at;
  std::int64_t seq = 0;
  std::int64_t tree_seq = 0;
  std::optional<std::string> target;
  std::optional<std::string> mime;

  bool is_live() const { return !deleted_at && !purged_at; }
};

// The columns of `files` in the order that read_node expects; `p` is a table prefix such as "f.".
#define CLOUDDOCS_NODE_COLUMNS(p)                                                                                  \
  p "id, " p "parent_id, " p "kind, " p "filename, " p "size, " p "version, " p "content_id, " p "sha256, " p      \
    "executable, " p "modified_at, " p "uploaded_at, " p "deleted_at, " p "purged_at, " p "seq, " p "tree_seq, " p \
    "target, " p "mime"
inline constexpr std::size_t node_columns = 17;

Node read_node(const database::Rows::Row& row, std::size_t first = 0);

// Appends the item as docs/sync-protocol.md describes it. Written straight to text: this is what listings are made of.
void append_item(std::string& out, SpaceId space, const Node& node);
std::string to_item(SpaceId space, const Node& node);
// Appends a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace clouddocs::storage
