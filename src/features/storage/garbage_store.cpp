// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/garbage_store.hpp"

namespace clouddocs::storage {
namespace {

using database::Statement;

constexpr Statement list_expired{"gc_expired_trash",
                                 "SELECT id FROM files WHERE space_id = $1 AND deleted_at < $2 AND deleted_at IS NOT "
                                 "NULL AND purged_at IS NULL LIMIT $3"};
constexpr Statement list_slimmable{
    "gc_slimmable", "SELECT id FROM files WHERE space_id = $1 AND purged_at < $2 AND filename <> '' LIMIT $3"};
constexpr Statement slim_row{
    "gc_slim",
    "UPDATE files SET filename = '', name_key = '', mime = NULL, target = NULL, content_id = NULL, sha256 = NULL"
    " WHERE space_id = $1 AND id = $2"};
constexpr Statement delete_versions_of{"gc_delete_versions_of",
                                       "DELETE FROM file_versions WHERE space_id = $1 AND file_id = $2"};
constexpr Statement newest_tombstone{
    "gc_newest_tombstone", "SELECT MAX(seq) FROM files WHERE space_id = $1 AND purged_at < $2 AND filename = ''"};
constexpr Statement delete_tombstones{"gc_delete_tombstones",
                                      "DELETE FROM files WHERE space_id = $1 AND purged_at < $2 AND filename = ''"};
// A content counts as old from when it was replaced, not from when it was made.
constexpr Statement delete_old_versions{
    "gc_delete_old_versions",
    "DELETE FROM file_versions WHERE space_id = $1 AND pinned = 0 AND EXISTS (SELECT 1 FROM file_versions n"
    " WHERE n.space_id = file_versions.space_id AND n.file_id = file_versions.file_id AND n.version > "
    "file_versions.version"
    " AND n.created_at < $2)"};
constexpr Statement list_versions{
    "gc_versions",
    "SELECT file_id, version, manifest FROM file_versions WHERE space_id = $1 AND (file_id, version) > ($2, $3)"
    " ORDER BY file_id, version LIMIT $4"};
constexpr Statement count_space_chunks{"gc_count_chunks", "SELECT COUNT(*) FROM chunks WHERE space_id = $1"};
constexpr Statement list_old_chunks{
    "gc_old_chunks",
    "SELECT hash FROM chunks WHERE space_id = $1 AND hash > $2 AND touched_at < $3 ORDER BY hash LIMIT $4"};
constexpr Statement delete_chunk{
    "gc_delete_chunk",
    "DELETE FROM chunks WHERE space_id = $1 AND hash = $2 AND touched_at < $3 RETURNING size, pending, small_id"};
constexpr Statement insert_dropped{"gc_drop_small",
                                   "INSERT INTO dropped_small_chunks (small_id, dropped_at) VALUES ($1, $2)"};
constexpr Statement mark_segments{"gc_mark_segments",
                                  "UPDATE segments SET dead_at = $2 WHERE dead_at IS NULL AND created_at < $1"
                                  " AND NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.object = segments.name)"};
constexpr Statement list_dead_segments{"gc_dead_segments", "SELECT name FROM segments WHERE dead_at < $1 LIMIT $2"};
constexpr Statement delete_segment{"gc_delete_segment", "DELETE FROM segments WHERE name = $1"};
constexpr Statement find_segment{"gc_find_segment", "SELECT 1 FROM segments WHERE name = $1"};
constexpr Statement list_small{
    "pack_list",
    "SELECT c.hash, c.small_id, s.bytes FROM chunks c JOIN small_chunks s ON s.id = c.small_id WHERE c.space_id = $1"
    " AND c.small_id IS NOT NULL AND c.pending = 0 ORDER BY c.small_id LIMIT 4096"};
constexpr Statement place_chunk{"pack_place",
                                "UPDATE chunks SET object = $4, object_offset = $5, small_id = NULL WHERE space_id = "
                                "$1 AND hash = $2 AND small_id = $3"};
constexpr Statement delete_small{
    "gc_delete_small",
    "DELETE FROM small_chunks WHERE id IN (SELECT small_id FROM dropped_small_chunks WHERE dropped_at < $1)"};
constexpr Statement delete_dropped{"gc_delete_dropped", "DELETE FROM dropped_small_chunks WHERE dropped_at < $1"};
constexpr Statement delete_commits{"gc_delete_commits", "DELETE FROM commits WHERE created_at < $1"};

content::ChunkName read_name(core::ByteView bytes) {
  content::ChunkName name;
  std::copy_n(bytes.begin(), std::min(bytes.size(), name.bytes.size()), name.bytes.begin());
  return name;
}

}  // namespace

Task<std::vector<NodeId>> GarbageStore::expired_trash(Transaction& tx, SpaceId space, Timestamp before, int limit) {
  const auto rows = co_await tx.execute(list_expired, space, before, limit);
  std::vector<NodeId> ids;
  for (std::size_t i = 0; i < rows.size(); ++i) ids.push_back(rows[i].id<NodeId>(0));
  co_return ids;
}

Task<std::int64_t> GarbageStore::slim_tombstones(Transaction& tx, SpaceId space, Timestamp before, int limit) {
  const auto rows = co_await tx.execute(list_slimmable, space, before, limit);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto id = rows[i].id<NodeId>(0);
    co_await tx.execute(delete_versions_of, space, id);
    co_await tx.execute(slim_row, space, id);
  }
  co_return static_cast<std::int64_t>(rows.size());
}

Task<std::int64_t> GarbageStore::drop_tombstones(Transaction& tx, SpaceId space, Timestamp before) {
  const auto newest = co_await tx.execute(newest_tombstone, space, before);
  if (newest.empty() || newest.front().is_null(0)) co_return 0;
  co_await SpaceStore::raise_floor(tx, space, newest.front().int64(0));
  const auto rows = co_await tx.execute(delete_tombstones, space, before);
  co_return rows.affected();
}

Task<std::int64_t> GarbageStore::drop_versions(Transaction& tx, SpaceId space, Timestamp before) {
  const auto rows = co_await tx.execute(delete_old_versions, space, before);
  co_return rows.affected();
}

Task<std::vector<GarbageStore::VersionRow>> GarbageStore::versions_after(Transaction& tx, SpaceId space, NodeId file,
                                                                         std::int64_t version, int limit) {
  const auto rows = co_await tx.execute(list_versions, space, file, version, limit);
  std::vector<VersionRow> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto manifest = rows[i].bytes(2);
    out.push_back({rows[i].id<NodeId>(0), rows[i].int64(1), core::Bytes(manifest.begin(), manifest.end())});
  }
  co_return out;
}

Task<std::int64_t> GarbageStore::count_chunks(Transaction& tx, SpaceId space) {
  const auto rows = co_await tx.execute(count_space_chunks, space);
  co_return rows.front().int64(0);
}

Task<std::vector<content::ChunkName>> GarbageStore::old_chunks(Transaction& tx, SpaceId space,
                                                               const content::ChunkName& after, Timestamp before,
                                                               int limit) {
  const auto rows = co_await tx.execute(list_old_chunks, space, after.view(), before, limit);
  std::vector<content::ChunkName> names;
  for (std::size_t i = 0; i < rows.size(); ++i) names.push_back(read_name(rows[i].bytes(0)));
  co_return names;
}

Task<std::optional<std::int64_t>> GarbageStore::drop_chunk(Transaction& tx, SpaceId space,
                                                           const content::ChunkName& name, Timestamp before,
                                                           Timestamp now) {
  const auto rows = co_await tx.execute(delete_chunk, space, name.view(), before);
  if (rows.empty()) co_return std::nullopt;
  const auto row = rows.front();
  if (!row.is_null(2)) co_await tx.execute(insert_dropped, row.int64(2), now);
  co_return row.boolean(1) ? row.int64(0) : 0;
}

Task<std::int64_t> GarbageStore::mark_dead_segments(Transaction& tx, Timestamp created_before, Timestamp now) {
  const auto rows = co_await tx.execute(mark_segments, created_before, now);
  co_return rows.affected();
}

Task<std::vector<std::string>> GarbageStore::dead_segments(Transaction& tx, Timestamp dead_before, int limit) {
  const auto rows = co_await tx.execute(list_dead_segments, dead_before, limit);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rows.size(); ++i) names.emplace_back(rows[i].text(0));
  co_return names;
}

Task<> GarbageStore::forget_segment(Transaction& tx, std::string_view name) {
  co_await tx.execute(delete_segment, name);
}

Task<bool> GarbageStore::knows_segment(Transaction& tx, std::string_view name) {
  const auto rows = co_await tx.execute(find_segment, name);
  co_return !rows.empty();
}

Task<std::vector<GarbageStore::SmallChunk>> GarbageStore::small_chunks(Transaction& tx, SpaceId space,
                                                                       std::int64_t max_bytes) {
  const auto rows = co_await tx.execute(list_small, space);
  std::vector<SmallChunk> out;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < rows.size() && sum < max_bytes; ++i) {
    const auto bytes = rows[i].bytes(2);
    sum += static_cast<std::int64_t>(bytes.size());
    out.push_back({space, read_name(rows[i].bytes(0)), rows[i].int64(1), core::Bytes(bytes.begin(), bytes.end())});
  }
  co_return out;
}

Task<> GarbageStore::move_to_segment(Transaction& tx, const SmallChunk& chunk, std::string_view object,
                                     std::uint64_t offset, Timestamp now) {
  const auto rows = co_await tx.execute(place_chunk, chunk.space, chunk.name.view(), chunk.small_id, object, offset);
  if (rows.affected() == 1) co_await tx.execute(insert_dropped, chunk.small_id, now);
}

Task<std::int64_t> GarbageStore::drop_small_bytes(Transaction& tx, Timestamp dropped_before) {
  const auto rows = co_await tx.execute(delete_small, dropped_before);
  co_await tx.execute(delete_dropped, dropped_before);
  co_return rows.affected();
}

Task<std::int64_t> GarbageStore::drop_commits(Transaction& tx, Timestamp before) {
  const auto rows = co_await tx.execute(delete_commits, before);
  co_return rows.affected();
}

}  // namespace clouddocs::storage
