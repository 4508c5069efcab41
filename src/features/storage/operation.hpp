// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "content/manifest.hpp"
#include "features/storage/chunk_index.hpp"
#include "features/storage/tree_store.hpp"

namespace clouddocs::storage {

// "Whatever is there now": for interactive requests that name no base. Devices always name one.
inline constexpr std::int64_t any_base = -1;

// A content ready to become a version: every chunk is either stored (pending or committed) or comes along.
struct NewContent {
  content::Manifest manifest;
  std::vector<content::ChunkRef> chunks;          // the content chunks, in order
  std::vector<content::ChunkName> node_chunks;    // chunks that hold manifest nodes
  std::vector<NewChunk> along;                    // small chunks whose bytes travel with the commit
  content::Sha256 content_id{};
  content::Sha256 sha256{};
  bool verified = false;  // the server itself computed sha256
  std::int64_t size = 0;
};

// The operations of a commit, as docs/sync-protocol.md describes them; the last ones exist for the REST API alone.
struct Put {
  NodeId id;
  NodeId parent;
  std::string filename;
  std::int64_t base_version = 0;
  NewContent content;
  std::optional<Timestamp> modified_at{};
  std::optional<bool> executable{};
  bool rename_if_taken = false;  // a new file takes "name (2)" instead of failing
};
struct PutSymlink {
  NodeId id;
  NodeId parent;
  std::string filename;
  std::string target;
  std::optional<Timestamp> modified_at{};
  std::int64_t base_seq = 0;
};
struct MakeFolder {
  NodeId id;
  NodeId parent;
  std::string filename;
};
struct Move {
  NodeId id;
  std::optional<NodeId> parent{};         // nullopt: stays
  std::optional<std::string> filename{};  // nullopt: stays
  std::int64_t base_seq = any_base;
};
struct SetMeta {
  NodeId id;
  std::int64_t base_seq = any_base;
  std::optional<Timestamp> modified_at{};
  std::optional<bool> executable{};
};
struct Delete {
  NodeId id;
  std::int64_t base_seq = any_base;
  std::optional<std::int64_t> seen_seq{};  // the journal position the device has applied
};
struct Restore {
  NodeId id;
  std::int64_t base_seq = any_base;
  std::optional<NodeId> parent{};  // nullopt: where it was
  bool rename_if_taken = false;
};
struct RestoreVersion {
  NodeId id;
  std::int64_t version = 0;
  std::int64_t base_version = any_base;
};
// Copies a node with all below; contents are shared, not copied.
struct Copy {
  NodeId source;
  NodeId id;  // of the copy
  NodeId parent;
  std::string filename;
  bool rename_if_taken = false;
};
// Ends a trashed node for good (with its hold), at most max_purge nodes in one operation; the result says whether more are left.
struct Purge {
  NodeId id;
};
inline constexpr int max_purge = 500;
inline constexpr int max_copy = 5'000;

using Operation =
    std::variant<Put, PutSymlink, MakeFolder, Move, SetMeta, Delete, Restore, RestoreVersion, Copy, Purge>;

}  // namespace clouddocs::storage
