// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "features/storage/chunk_index.hpp"
#include "features/storage/space_store.hpp"

namespace clouddocs::storage {

// SQL of garbage collection and packing. Stateless.
class GarbageStore {
 public:
  static Task<std::vector<NodeId>> expired_trash(Transaction& tx, SpaceId space, Timestamp before, int limit);
  // Slims tombstones that were purged before `before`: names and versions go. Returns how many.
  static Task<std::int64_t> slim_tombstones(Transaction& tx, SpaceId space, Timestamp before, int limit);
  // Drops slim tombstones purged before `before` and raises the floor of the journal over them.
  static Task<std::int64_t> drop_tombstones(Transaction& tx, SpaceId space, Timestamp before);
  // Old contents: replaced before `before`, not pinned, not current.
  static Task<std::int64_t> drop_versions(Transaction& tx, SpaceId space, Timestamp before);

  struct VersionRow {
    NodeId file;
    std::int64_t version = 0;
    core::Bytes manifest;
  };
  static Task<std::vector<VersionRow>> versions_after(Transaction& tx, SpaceId space, NodeId file, std::int64_t version,
                                                      int limit);
  static Task<std::int64_t> count_chunks(Transaction& tx, SpaceId space);
  // Chunks not touched since `before`, in the order of their names.
  static Task<std::vector<content::ChunkName>> old_chunks(Transaction& tx, SpaceId space,
                                                          const content::ChunkName& after, Timestamp before, int limit);
  // Deletes the row unless it was touched meanwhile. Returns the bytes that were reserved for it, nullopt when it stayed.
  static Task<std::optional<std::int64_t>> drop_chunk(Transaction& tx, SpaceId space, const content::ChunkName& name,
                                                      Timestamp before, Timestamp now);

  static Task<std::int64_t> mark_dead_segments(Transaction& tx, Timestamp created_before, Timestamp now);
  static Task<std::vector<std::string>> dead_segments(Transaction& tx, Timestamp dead_before, int limit);
  static Task<> forget_segment(Transaction& tx, std::string_view name);
  static Task<bool> knows_segment(Transaction& tx, std::string_view name);

  struct SmallChunk {
    SpaceId space;
    content::ChunkName name;
    std::int64_t small_id = 0;
    core::Bytes bytes;
  };
  // Small chunks of one space, the oldest first, until `max_bytes`.
  static Task<std::vector<SmallChunk>> small_chunks(Transaction& tx, SpaceId space, std::int64_t max_bytes);
  static Task<> move_to_segment(Transaction& tx, const SmallChunk& chunk, std::string_view object, std::uint64_t offset,
                                Timestamp now);
  static Task<std::int64_t> drop_small_bytes(Transaction& tx, Timestamp dropped_before);
  static Task<std::int64_t> drop_commits(Transaction& tx, Timestamp before);
};

}  // namespace clouddocs::storage
