// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/garbage_collector.hpp"

#include "core/encoding.hpp"
#include "core/log.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;

constexpr int page = 500;
constexpr std::int64_t max_marked = 1'000'000;  // names held in memory at a time: 33 MB
constexpr std::size_t max_chunks_of_file = 4U << 20;
constexpr std::int64_t pack_at = 256 << 10;  // fewer bytes are not worth an object

constexpr database::Statement owner_plan{"user_plan", "SELECT plan FROM users WHERE id = $1"};

unsigned part_of(const content::ChunkName& name, unsigned parts) {
  // Byte 1: the first of the hash; equally distributed.
  return static_cast<unsigned>(name.bytes[1]) * parts / 256;
}

}  // namespace

boost::json::object to_json(const GarbageReport& r) {
  return {{"trash_purged", r.trash_purged},
          {"tombstones_slimmed", r.tombstones_slimmed},
          {"tombstones_dropped", r.tombstones_dropped},
          {"versions_dropped", r.versions_dropped},
          {"chunks_dropped", r.chunks_dropped},
          {"segments_removed", r.segments_removed},
          {"orphans_removed", r.orphans_removed},
          {"chunks_packed", r.chunks_packed},
          {"spaces_skipped", r.spaces_skipped}};
}

Task<Result<GarbageReport>> GarbageCollector::run() {
  GarbageReport report;
  SpaceId after;
  for (;;) {
    auto list = [&](Transaction& tx) -> Task<Result<std::vector<SpaceId>>> {
      co_return co_await SpaceStore::list_all(tx, after, page);
    };
    CO_TRY(const std::vector<SpaceId> spaces, co_await database::read(chunks_.db(), list));
    if (spaces.empty()) break;
    for (const auto& space : spaces) {
      after = space;
      auto outcome = co_await collect_space(space, report);
      if (outcome.has_error()) {
        // Damage in one space must not stop the others, and nothing is thrown away where a reference cannot be read.
        ++report.spaces_skipped;
        core::log_error("gc_space_skipped", {{"space", core::to_text(space)}, {"error", outcome.error().detail}});
      }
    }
  }
  CO_CHECK(co_await remove_segments(report));
  CO_CHECK(co_await remove_orphans(report));
  const Timestamp now = chunks_.clock().now();
  auto clean = [&](Transaction& tx) -> Task<Result<>> {
    co_await GarbageStore::drop_small_bytes(tx, now - retention_.small_bytes);
    co_await GarbageStore::drop_commits(tx, now - retention_.commits);
    co_return Result<>();
  };
  CO_CHECK(co_await database::write(chunks_.db(), clean));
  co_return report;
}

Task<Result<>> GarbageCollector::collect_space(SpaceId id, GarbageReport& report) {
  access::Plan plan;
  auto find = [&](Transaction& tx) -> Task<Result<Space>> {
    auto space = co_await SpaceStore::find(tx, id);
    if (!space) co_return Errc::not_found;
    const auto rows = co_await tx.execute(owner_plan, space->owner);
    plan = chunks_.plans().get(rows.empty() ? "free" : std::string(rows.front().text(0)));
    co_return std::move(*space);
  };
  CO_TRY(const Space space, co_await database::read(chunks_.db(), find));
  CO_CHECK(co_await expire(space, plan, report));
  CO_CHECK(co_await sweep_chunks(id, report));
  co_return co_await pack_small_chunks(id, report);
}

Task<Result<>> GarbageCollector::expire(const Space& space, const access::Plan& plan, GarbageReport& report) {
  const Timestamp now = chunks_.clock().now();
  Caller owner;
  owner.user = space.owner;
  owner.device_name = "retention";
  for (;;) {
    auto list = [&](Transaction& tx) -> Task<Result<std::vector<NodeId>>> {
      co_return co_await GarbageStore::expired_trash(tx, space.id, now - plan.trash, page);
    };
    CO_TRY(const std::vector<NodeId> expired, co_await database::read(chunks_.db(), list));
    for (const auto& id : expired) {
      const auto purged = co_await door_.commit_one(owner, space.id, Purge{id});
      if (purged.has_error() && purged.error().code == Errc::gone) continue;  // with a folder that holds it
      if (purged.has_error()) co_return purged.error();
      ++report.trash_purged;
    }
    if (expired.empty()) break;
  }
  std::int64_t slimmed = 0;
  do {
    auto body = [&](Transaction& tx) -> Task<Result<std::int64_t>> {
      co_await SpaceStore::advance(tx, space.id, 0);
      co_return co_await GarbageStore::slim_tombstones(tx, space.id, now - retention_.purged_hold, page);
    };
    CO_TRY(slimmed, co_await database::transact(chunks_.db(), database::Access::write, space.id.view(), body));
    report.tombstones_slimmed += slimmed;
  } while (slimmed == page);
  auto body = [&](Transaction& tx) -> Task<Result<>> {
    co_await SpaceStore::advance(tx, space.id, 0);
    report.tombstones_dropped += co_await GarbageStore::drop_tombstones(tx, space.id, now - retention_.tombstones);
    const std::chrono::microseconds history =
        std::max<std::chrono::microseconds>(plan.history, retention_.min_version_age);
    report.versions_dropped += co_await GarbageStore::drop_versions(tx, space.id, now - history);
    co_return Result<>();
  };
  co_return co_await database::transact(chunks_.db(), database::Access::write, space.id.view(), body);
}

Task<Result<std::vector<content::ChunkName>>> GarbageCollector::mark(SpaceId space, unsigned part, unsigned parts) {
  std::vector<content::ChunkName> names;
  auto add = [&](const content::ChunkName& name) {
    if (part_of(name, parts) == part) names.push_back(name);
  };
  GarbageStore::VersionRow last;
  for (;;) {
    auto list = [&](Transaction& tx) -> Task<Result<std::vector<GarbageStore::VersionRow>>> {
      co_return co_await GarbageStore::versions_after(tx, space, last.file, last.version, page);
    };
    CO_TRY(std::vector<GarbageStore::VersionRow> rows, co_await database::read(chunks_.db(), list));
    if (rows.empty()) break;
    for (const auto& row : rows) {
      CO_TRY(const content::Manifest manifest, content::decode_manifest(row.manifest));
      std::vector<content::ChunkName> nodes;
      CO_TRY(const std::vector<content::ChunkRef> chunks,
             co_await chunks_.flatten(space, manifest, max_chunks_of_file, &nodes));
      for (const auto& chunk : chunks) add(chunk.name);
      for (const auto& node : nodes) add(node);
    }
    last = std::move(rows.back());
    if (names.size() > static_cast<std::size_t>(2 * max_marked)) {
      std::sort(names.begin(), names.end());
      names.erase(std::unique(names.begin(), names.end()), names.end());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  co_return names;
}

Task<Result<>> GarbageCollector::sweep_chunks(SpaceId space, GarbageReport& report) {
  const Timestamp now = chunks_.clock().now();
  const Timestamp before = now - retention_.chunks;
  auto count = [&](Transaction& tx) -> Task<Result<std::int64_t>> {
    co_return co_await GarbageStore::count_chunks(tx, space);
  };
  CO_TRY(const std::int64_t chunks, co_await database::read(chunks_.db(), count));
  const auto parts = static_cast<unsigned>(std::min<std::int64_t>(256, chunks / max_marked + 1));
  for (unsigned part = 0; part < parts; ++part) {
    CO_TRY(const std::vector<content::ChunkName> used, co_await mark(space, part, parts));
    content::ChunkName after;
    for (;;) {
      auto list = [&](Transaction& tx) -> Task<Result<std::vector<content::ChunkName>>> {
        co_return co_await GarbageStore::old_chunks(tx, space, after, before, page);
      };
      CO_TRY(const std::vector<content::ChunkName> old, co_await database::read(chunks_.db(), list));
      if (old.empty()) break;
      after = old.back();
      auto drop = [&](Transaction& tx) -> Task<Result<std::int64_t>> {
        const auto locked = co_await SpaceStore::advance(tx, space, 0);
        if (!locked) co_return Errc::not_found;
        std::int64_t reserved = 0;
        std::int64_t dropped = 0;
        for (const auto& name : old) {
          if (part_of(name, parts) != part || std::binary_search(used.begin(), used.end(), name)) continue;
          const auto freed = co_await GarbageStore::drop_chunk(tx, space, name, before, now);
          if (!freed) continue;
          reserved += *freed;
          ++dropped;
        }
        co_await SpaceStore::add_usage(tx, *locked, 0, -reserved);
        co_return dropped;
      };
      CO_TRY(const std::int64_t dropped,
             co_await database::transact(chunks_.db(), database::Access::write, space.view(), drop));
      report.chunks_dropped += dropped;
    }
  }
  co_return Result<>();
}

Task<Result<>> GarbageCollector::pack_small_chunks(SpaceId space, GarbageReport& report) {
  for (;;) {
    auto list = [&](Transaction& tx) -> Task<Result<std::vector<GarbageStore::SmallChunk>>> {
      co_return co_await GarbageStore::small_chunks(tx, space, segment_size);
    };
    CO_TRY(const std::vector<GarbageStore::SmallChunk> small, co_await database::read(chunks_.db(), list));
    std::uint64_t size = 0;
    for (const auto& chunk : small) size += chunk.bytes.size();
    if (size < static_cast<std::uint64_t>(pack_at)) co_return Result<>();
    const std::string name = new_segment_name(chunks_.clock(), chunks_.random());
    auto writer = co_await chunks_.blobs().create(name);
    std::vector<core::ByteView> parts;
    parts.reserve(small.size());
    for (const auto& chunk : small) parts.emplace_back(chunk.bytes);
    co_await writer->append(parts);
    co_await writer->commit();
    const Timestamp now = chunks_.clock().now();
    auto move = [&](Transaction& tx) -> Task<Result<>> {
      co_await SpaceStore::advance(tx, space, 0);
      co_await ChunkIndex::add_segment(tx, space, {name, size}, now);
      std::uint64_t offset = 0;
      for (const auto& chunk : small) {
        co_await GarbageStore::move_to_segment(tx, chunk, name, offset, now);
        offset += chunk.bytes.size();
      }
      co_return Result<>();
    };
    CO_CHECK(co_await database::transact(chunks_.db(), database::Access::write, space.view(), move));
    report.chunks_packed += static_cast<std::int64_t>(small.size());
  }
}

Task<Result<>> GarbageCollector::remove_segments(GarbageReport& report) {
  const Timestamp now = chunks_.clock().now();
  auto mark_dead = [&](Transaction& tx) -> Task<Result<std::int64_t>> {
    co_return co_await GarbageStore::mark_dead_segments(tx, now - retention_.objects, now);
  };
  CO_CHECK(co_await database::write(chunks_.db(), mark_dead));
  for (;;) {
    auto list = [&](Transaction& tx) -> Task<Result<std::vector<std::string>>> {
      co_return co_await GarbageStore::dead_segments(tx, now - retention_.objects, page);
    };
    CO_TRY(const std::vector<std::string> names, co_await database::read(chunks_.db(), list));
    if (names.empty()) co_return Result<>();
    for (const auto& name : names) {
      // The object first: a row without object is repeated, an object without row would wait for the orphan scan.
      co_await chunks_.blobs().remove(name);
      auto forget = [&](Transaction& tx) -> Task<Result<>> {
        co_await GarbageStore::forget_segment(tx, name);
        co_return Result<>();
      };
      CO_CHECK(co_await database::write(chunks_.db(), forget));
      ++report.segments_removed;
    }
  }
}

Task<Result<>> GarbageCollector::remove_orphans(GarbageReport& report) {
  const Timestamp before = chunks_.clock().now() - retention_.objects;
  std::string after;
  for (;;) {
    const auto objects = co_await chunks_.blobs().list("segments/", after, 10'000);
    if (objects.empty()) co_return Result<>();
    after = objects.back().name;
    for (const auto& object : objects) {
      if (object.modified_at >= before) continue;
      auto known = [&](Transaction& tx) -> Task<Result<bool>> {
        co_return co_await GarbageStore::knows_segment(tx, object.name);
      };
      CO_TRY(const bool is_known, co_await database::read(chunks_.db(), known));
      if (is_known) continue;
      co_await chunks_.blobs().remove(object.name);
      ++report.orphans_removed;
    }
  }
}

}  // namespace clouddocs::storage
