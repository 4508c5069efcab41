// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/fsck.hpp"

#include <unordered_map>

#include "content/sha256.hpp"
#include "core/encoding.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;
using database::Statement;

constexpr int page = 500;
constexpr std::size_t max_chunks_of_file = 4U << 20;

constexpr Statement loose_parents{
    "fsck_loose_parents",
    "SELECT f.id FROM files f WHERE f.space_id = $1 AND f.purged_at IS NULL AND f.parent_id IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM files p WHERE p.space_id = $1 AND p.id = f.parent_id AND p.kind = 2 AND p.purged_at IS NULL) "
    "LIMIT 100"};
constexpr Statement count_nodes{"fsck_count_nodes",
                                "SELECT COUNT(*) FROM files WHERE space_id = $1 AND purged_at IS NULL"};
// SQLite is told the index: it would read the whole space for each folder.
#define REACHABLE(index)                                                                                               \
  "WITH RECURSIVE down(id, depth) AS (SELECT $2, 0 UNION ALL SELECT f.id, down.depth + 1 FROM down JOIN files f" index \
  " ON f.space_id = $1 AND f.parent_id = down.id WHERE f.purged_at IS NULL AND down.depth < 300) SELECT COUNT(*) "     \
  "FROM down"
constexpr Statement count_reachable{"fsck_count_reachable", REACHABLE(""), REACHABLE(" INDEXED BY files_by_parent")};
constexpr Statement sum_sizes{
    "fsck_sum_sizes",
    "SELECT COALESCE(SUM(size), 0) FROM files WHERE space_id = $1 AND kind = 1 AND purged_at IS NULL"};
constexpr Statement sum_pending{"fsck_sum_pending",
                                "SELECT COALESCE(SUM(size), 0) FROM chunks WHERE space_id = $1 AND pending = 1"};
constexpr Statement newest_seq{"fsck_newest_seq", "SELECT COALESCE(MAX(seq), 0) FROM files WHERE space_id = $1"};
constexpr Statement without_version{
    "fsck_without_version",
    "SELECT f.id FROM files f WHERE f.space_id = $1 AND f.kind = 1 AND f.purged_at IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM file_versions v WHERE v.space_id = $1 AND v.file_id = f.id AND v.version = f.version"
    " AND v.content_id = f.content_id AND v.size = f.size) LIMIT 100"};
constexpr Statement owner_mirror{"fsck_owner_mirror", "SELECT storage_used FROM users WHERE id = $1"};
constexpr Statement set_counters{"fsck_set_counters",
                                 "UPDATE spaces SET storage_used = $2, reserved = $3 WHERE id = $1"};
constexpr Statement set_mirror{"fsck_set_mirror", "UPDATE users SET storage_used = $2 WHERE id = $1"};
constexpr Statement list_versions{
    "fsck_versions",
    "SELECT file_id, version FROM file_versions WHERE space_id = $1 AND (file_id, version) > ($2, $3)"
    " ORDER BY file_id, version LIMIT $4"};
constexpr Statement list_places{
    "fsck_places",
    "SELECT c.hash, c.size, c.object, c.object_offset, c.small_id, s.size, length(b.bytes) FROM chunks c"
    " LEFT JOIN segments s ON s.name = c.object LEFT JOIN small_chunks b ON b.id = c.small_id"
    " WHERE c.space_id = $1 AND c.hash > $2 ORDER BY c.hash LIMIT $3"};
constexpr Statement list_segments{
    "fsck_segments", "SELECT name, size FROM segments WHERE space_id = $1 AND name > $2 ORDER BY name LIMIT $3"};
constexpr Statement find_segment{"fsck_find_segment", "SELECT 1 FROM segments WHERE name = $1"};
constexpr Statement set_verified{
    "fsck_set_verified", "UPDATE file_versions SET verified = 1 WHERE space_id = $1 AND file_id = $2 AND version = $3"};

std::string file_text(SpaceId space, NodeId file) { return "file " + core::to_text(FileId{space, file}); }

std::int64_t first_number(const database::Rows& rows) { return rows.empty() ? 0 : rows.front().int64(0); }

}  // namespace

void Fsck::problem(SpaceId space, const std::string& text) {
  ++report_.problems;
  reporter_("space " + core::to_text(space) + ": " + text);
}

Task<Result<FsckReport>> Fsck::run() {
  SpaceId after;
  for (;;) {
    auto list = [&](Transaction& tx) -> Task<Result<std::vector<SpaceId>>> {
      co_return co_await SpaceStore::list_all(tx, after, page);
    };
    CO_TRY(const std::vector<SpaceId> spaces, co_await database::read(chunks_.db(), list));
    if (spaces.empty()) co_return report_;
    for (const auto& space : spaces) {
      after = space;
      ++report_.spaces;
      CO_CHECK(co_await check_space(space));
    }
  }
}

Task<Result<>> Fsck::check_space(SpaceId space) {
  CO_TRY(const std::vector<std::string> found, co_await check_tree(space));
  for (const auto& text : found) problem(space, text);
  if (!found.empty() && options_.repair) CO_CHECK(co_await repair_counters(space));
  CO_CHECK(co_await check_chunk_places(space));
  co_return co_await check_versions(space);
}

Task<Result<std::vector<std::string>>> Fsck::check_tree(SpaceId id) {
  auto body = [&](Transaction& tx) -> Task<Result<std::vector<std::string>>> {
    std::vector<std::string> found;
    const auto space = co_await SpaceStore::find(tx, id);
    if (!space) co_return found;
    const auto loose = co_await tx.execute(loose_parents, id);
    for (std::size_t i = 0; i < loose.size(); ++i) {
      found.push_back(file_text(id, loose[i].id<NodeId>(0)) + " lies in a folder that does not exist");
    }
    const auto nodes = first_number(co_await tx.execute(count_nodes, id));
    const auto reachable = first_number(co_await tx.execute(count_reachable, id, space->root));
    report_.nodes += nodes;
    if (nodes != reachable) {
      found.push_back(std::to_string(nodes) + " nodes exist, " + std::to_string(reachable) +
                      " are reachable from the root");
    }
    if (first_number(co_await tx.execute(newest_seq, id)) > space->seq) {
      found.emplace_back("a row is ahead of the journal's head");
    }
    const auto used = first_number(co_await tx.execute(sum_sizes, id));
    if (used != space->storage_used) {
      found.push_back("storage_used is " + std::to_string(space->storage_used) + ", the files have " +
                      std::to_string(used) + " bytes");
    }
    const auto pending = first_number(co_await tx.execute(sum_pending, id));
    if (pending != space->reserved) {
      found.push_back("reserved is " + std::to_string(space->reserved) + ", the pending chunks have " +
                      std::to_string(pending) + " bytes");
    }
    if (space->kind == "personal" &&
        first_number(co_await tx.execute(owner_mirror, space->owner)) != space->storage_used) {
      found.emplace_back("the owner's storage_used differs from the space's");
    }
    const auto bare = co_await tx.execute(without_version, id);
    for (std::size_t i = 0; i < bare.size(); ++i) {
      found.push_back(file_text(id, bare[i].id<NodeId>(0)) + " has no record of its present content");
    }
    co_return found;
  };
  co_return co_await database::read(chunks_.db(), body);
}

Task<Result<>> Fsck::repair_counters(SpaceId id) {
  auto body = [&](Transaction& tx) -> Task<Result<>> {
    const auto space = co_await SpaceStore::advance(tx, id, 0);
    if (!space) co_return Result<>();
    const auto used = first_number(co_await tx.execute(sum_sizes, id));
    const auto pending = first_number(co_await tx.execute(sum_pending, id));
    if (used == space->storage_used && pending == space->reserved) co_return Result<>();
    co_await tx.execute(set_counters, id, used, pending);
    if (space->kind == "personal") co_await tx.execute(set_mirror, space->owner, used);
    ++report_.repaired;
    co_return Result<>();
  };
  co_return co_await database::transact(chunks_.db(), database::Access::write, id.view(), body);
}

Task<Result<>> Fsck::check_chunk_places(SpaceId space) {
  content::ChunkName after;
  for (;;) {
    auto body = [&](Transaction& tx) -> Task<Result<database::Rows>> {
      co_return co_await tx.execute(list_places, space, after.view(), page);
    };
    CO_TRY(const database::Rows rows, co_await database::read(chunks_.db(), body));
    if (rows.empty()) break;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = rows[i];
      std::copy_n(row.bytes(0).begin(), after.bytes.size(), after.bytes.begin());
      ++report_.chunks;
      const auto size = row.int64(1);
      if (!row.is_null(2)) {
        if (row.is_null(5) || row.int64(3) + size > row.int64(5)) {
          problem(space, "chunk " + content::to_text(after) + " lies outside of any known segment");
        }
      } else if (row.is_null(6) || row.int64(6) != size) {
        problem(space, "the bytes of the small chunk " + content::to_text(after) + " are missing");
      }
    }
  }
  std::string last;
  for (;;) {
    auto body = [&](Transaction& tx) -> Task<Result<database::Rows>> {
      co_return co_await tx.execute(list_segments, space, last, page);
    };
    CO_TRY(const database::Rows rows, co_await database::read(chunks_.db(), body));
    if (rows.empty()) co_return Result<>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      last = rows[i].text(0);
      const auto object = co_await chunks_.blobs().stat(last);
      if (object.has_value() && object.value().size == static_cast<std::uint64_t>(rows[i].int64(1))) continue;
      // Garbage collection may have removed it meanwhile.
      auto again = [&](Transaction& tx) -> Task<Result<bool>> {
        const auto found = co_await tx.execute(find_segment, last);
        co_return !found.empty();
      };
      CO_TRY(const bool still_known, co_await database::read(chunks_.db(), again));
      if (still_known)
        problem(space, "the object " + last + (object.has_value() ? " has another size" : " is missing"));
    }
  }
}

Task<Result<>> Fsck::check_versions(SpaceId space) {
  NodeId file;
  std::int64_t number = 0;
  for (;;) {
    auto list = [&](Transaction& tx) -> Task<Result<database::Rows>> {
      co_return co_await tx.execute(list_versions, space, file, number, page);
    };
    CO_TRY(const database::Rows rows, co_await database::read(chunks_.db(), list));
    if (rows.empty()) co_return Result<>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      file = rows[i].id<NodeId>(0);
      number = rows[i].int64(1);
      auto find = [&](Transaction& tx) -> Task<Result<std::optional<Version>>> {
        co_return co_await TreeStore::find_version(tx, space, file, number);
      };
      CO_TRY(const std::optional<Version> version, co_await database::read(chunks_.db(), find));
      if (!version) continue;  // dropped meanwhile
      ++report_.versions;
      CO_CHECK(co_await check_version(space, file, *version));
    }
  }
}

Task<Result<>> Fsck::check_version(SpaceId space, NodeId file, const Version& version) {
  const std::string what = file_text(space, file) + " version " + std::to_string(version.number);
  const auto manifest = content::decode_manifest(version.manifest);
  if (manifest.has_error()) {
    problem(space, what + ": the manifest cannot be read");
    co_return Result<>();
  }
  const auto chunks = co_await chunks_.flatten(space, manifest.value(), max_chunks_of_file);
  if (chunks.has_error()) {
    problem(space, what + ": " + chunks.error().detail);
    co_return Result<>();
  }
  std::uint64_t size = 0;
  for (const auto& chunk : chunks.value()) size += chunk.size;
  if (size != static_cast<std::uint64_t>(version.size)) problem(space, what + ": the chunks do not add up to its size");
  if (content::content_id(chunks.value()) != version.content_id) {
    problem(space, what + ": the content_id does not belong to the chunks");
  }
  co_return co_await check_content(space, file, version, chunks.value());
}

Task<Result<>> Fsck::check_content(SpaceId space, NodeId file, const Version& version,
                                   std::span<const content::ChunkRef> chunks) {
  const std::string what = file_text(space, file) + " version " + std::to_string(version.number);
  const auto places = co_await chunks_.locate(space, chunks);
  if (places.has_error()) {
    problem(space, what + ": " + places.error().detail);
    co_return Result<>();
  }
  if (options_.depth == FsckDepth::structure) co_return Result<>();
  content::Sha256Hasher whole;
  bool complete = true;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const bool in_sample = static_cast<unsigned>(chunks[i].name.bytes[1]) % 64 == 0;
    if (options_.depth == FsckDepth::sample && !in_sample) continue;
    core::Bytes bytes;
    try {
      bytes = co_await chunks_.read(places.value()[i]);
    } catch (const core::ErrorException& error) {
      problem(space, what + ": " + error.what());
      complete = false;
      continue;
    }
    ++report_.chunks_read;
    report_.bytes_read += static_cast<std::int64_t>(bytes.size());
    auto hash = [&] {
      if (options_.depth == FsckDepth::full) whole.update(bytes);
      return content::name_of(bytes);
    };
    if (co_await core::blocking(chunks_.pool(), hash) != chunks[i].name) {
      problem(space, what + ": chunk " + content::to_text(chunks[i].name) + " holds other bytes than it should");
      complete = false;
    }
  }
  if (options_.depth != FsckDepth::full || !complete) co_return Result<>();
  if (whole.finish() != version.sha256) {
    problem(space, what + ": the SHA-256 that its device told does not belong to the content");
  } else if (!version.verified && options_.repair) {
    auto mark = [&](Transaction& tx) -> Task<Result<>> {
      co_await tx.execute(set_verified, space, file, version.number);
      co_return Result<>();
    };
    CO_CHECK(co_await database::transact(chunks_.db(), database::Access::write, space.view(), mark));
    ++report_.repaired;
  }
  co_return Result<>();
}

}  // namespace clouddocs::storage
