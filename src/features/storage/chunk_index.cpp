// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/chunk_index.hpp"

namespace clouddocs::storage {
namespace {

using database::Statement;

constexpr Statement find_chunk{
    "chunk_find", "SELECT size, object, object_offset, small_id FROM chunks WHERE space_id = $1 AND hash = $2"};
constexpr Statement find_small{"chunk_small_bytes", "SELECT bytes FROM small_chunks WHERE id = $1"};
constexpr Statement peek_chunk{"chunk_peek",
                               "SELECT size, pending, touched_at FROM chunks WHERE space_id = $1 AND hash = $2"};
constexpr Statement touch_chunk{"chunk_touch",
                                "UPDATE chunks SET touched_at = $3, pending = $4 WHERE space_id = $1 AND hash = $2"};
constexpr Statement insert_small{"chunk_insert_small", "INSERT INTO small_chunks (bytes) VALUES ($1) RETURNING id"};
constexpr Statement insert_chunk{
    "chunk_insert",
    "INSERT INTO chunks (space_id, hash, size, object, object_offset, small_id, pending, touched_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr Statement insert_segment{"segment_insert",
                                   "INSERT INTO segments (name, space_id, size, created_at) VALUES ($1, $2, $3, $4)"};

}  // namespace

Task<std::optional<ChunkPlace>> ChunkIndex::find(Transaction& tx, SpaceId space, const content::ChunkName& name) {
  const auto rows = co_await tx.execute(find_chunk, space, name.view());
  if (rows.empty()) co_return std::nullopt;
  const auto row = rows.front();
  ChunkPlace place;
  place.name = name;
  place.size = static_cast<std::uint32_t>(row.int64(0));
  if (!row.is_null(1)) place.object = row.text(1);
  place.offset = static_cast<std::uint64_t>(row.int64(2));
  if (!row.is_null(3)) place.small_id = row.int64(3);
  co_return place;
}

Task<core::Bytes> ChunkIndex::small_bytes(Transaction& tx, std::int64_t small_id) {
  const auto rows = co_await tx.execute(find_small, small_id);
  if (rows.empty())
    throw database::DatabaseError(database::DatabaseError::Kind::broken, "the bytes of a small chunk are gone");
  const auto bytes = rows.front().bytes(0);
  co_return core::Bytes(bytes.begin(), bytes.end());
}

Task<std::optional<ChunkIndex::Touched>> ChunkIndex::touch(Transaction& tx, SpaceId space,
                                                           const content::ChunkName& name, bool commit, Timestamp now) {
  const auto rows = co_await tx.execute(peek_chunk, space, name.view());
  if (rows.empty()) co_return std::nullopt;
  const auto row = rows.front();
  const Touched touched{row.int64(0), row.boolean(1)};
  const bool settles = commit && touched.was_pending;
  if (settles || now - row.timestamp(2) > touch_interval) {
    co_await tx.execute(touch_chunk, space, name.view(), now, touched.was_pending && !commit);
  }
  co_return touched;
}

Task<std::optional<ChunkIndex::Touched>> ChunkIndex::add(Transaction& tx, SpaceId space, const NewChunk& chunk,
                                                         bool pending, Timestamp now) {
  if (const auto known = co_await touch(tx, space, chunk.name, !pending, now)) co_return known;
  std::optional<std::int64_t> small_id;
  std::optional<std::string_view> object;
  if (chunk.object.empty()) {
    const auto rows = co_await tx.execute(insert_small, chunk.bytes);
    small_id = rows.front().int64(0);
  } else {
    object = chunk.object;
  }
  co_await tx.execute(insert_chunk, space, chunk.name.view(), static_cast<std::int64_t>(chunk.size), object,
                      chunk.offset, small_id, pending, now);
  co_return std::nullopt;
}

Task<> ChunkIndex::add_segment(Transaction& tx, SpaceId space, const Segment& segment, Timestamp now) {
  co_await tx.execute(insert_segment, segment.name, space, segment.size, now);
}

}  // namespace clouddocs::storage
