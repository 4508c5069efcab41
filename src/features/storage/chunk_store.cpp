// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/chunk_store.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;

constexpr std::size_t max_open_files = 256;
constexpr std::uint32_t max_level = 3;
constexpr std::size_t max_run = 4U << 20;  // chunks looked at for one range

Error too_deep() { return {Errc::invalid_request, "A manifest has at most 3 levels of nodes."}; }

// Leaves out the entries that hold nothing of [offset, offset + length).
void narrow(ChunkRun& run, std::uint64_t offset, std::uint64_t length) {
  std::vector<content::ChunkRef> kept;
  std::uint64_t at = run.begin;
  for (const auto& entry : run.chunks) {
    const std::uint64_t end = at + entry.size;
    if (end > offset && at < offset + length) {
      if (kept.empty()) run.begin = at;
      kept.push_back(entry);
    }
    at = end;
  }
  run.chunks = std::move(kept);
}

}  // namespace

Task<Result<std::vector<ChunkPlace>>> ChunkStore::locate(SpaceId space, std::span<const content::ChunkRef> chunks) {
  auto body = [&](Transaction& tx) -> Task<Result<std::vector<ChunkPlace>>> {
    std::vector<ChunkPlace> places;
    places.reserve(chunks.size());
    for (const auto& chunk : chunks) {
      auto place = co_await ChunkIndex::find(tx, space, chunk.name);
      if (!place)
        co_return Error(Errc::chunk_unknown, "The chunk " + content::to_text(chunk.name) + " is not in the space.");
      places.push_back(std::move(*place));
    }
    co_return places;
  };
  co_return co_await database::read(db_, body);
}

Task<core::Bytes> ChunkStore::read_small(std::int64_t small_id) {
  auto body = [&](Transaction& tx) -> Task<Result<core::Bytes>> {
    co_return co_await ChunkIndex::small_bytes(tx, small_id);
  };
  auto bytes = co_await database::read(db_, body);
  co_return std::move(bytes).value();
}

Task<core::Bytes> ChunkStore::read(const ChunkPlace& place) {
  if (place.object.empty()) co_return co_await read_small(place.small_id);
  auto bytes = co_await blobs_.get(place.object, place.offset, place.size);
  if (bytes.has_error()) throw blob::StorageUnavailable("object " + place.object + " is missing or too short");
  co_return std::move(bytes).value();
}

Task<Result<std::vector<content::ChunkRef>>> ChunkStore::read_nodes(SpaceId space,
                                                                    std::span<const content::ChunkRef> nodes,
                                                                    std::size_t limit) {
  std::vector<content::ChunkRef> below;
  CO_TRY(const std::vector<ChunkPlace> places, co_await locate(space, nodes));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const core::Bytes bytes = co_await read(places[i]);
    CO_TRY(const std::vector<content::ChunkRef> entries, content::decode_node(bytes));
    std::uint64_t sum = 0;
    for (const auto& entry : entries) sum += entry.size;
    if (sum != nodes[i].size) co_return Error(Errc::invalid_request, "The sizes in a manifest node do not add up.");
    below.insert(below.end(), entries.begin(), entries.end());
    if (below.size() > limit) co_return Error(Errc::file_too_large, "The manifest names too many chunks.");
  }
  co_return below;
}

Task<Result<std::vector<content::ChunkRef>>> ChunkStore::flatten(SpaceId space, const content::Manifest& manifest,
                                                                 std::size_t limit,
                                                                 std::vector<content::ChunkName>* nodes) {
  std::vector<content::ChunkRef> current = manifest.entries;
  if (manifest.level > max_level) co_return too_deep();
  for (auto level = manifest.level; level > 0; --level) {
    if (nodes != nullptr) {
      for (const auto& node : current) nodes->push_back(node.name);
    }
    CO_TRY(current, co_await read_nodes(space, current, limit));
  }
  co_return current;
}

Task<Result<ChunkRun>> ChunkStore::find_run(SpaceId space, const content::Manifest& manifest, std::uint64_t offset,
                                            std::uint64_t length) {
  ChunkRun run{0, manifest.entries};
  if (manifest.level > max_level) co_return too_deep();
  narrow(run, offset, length);
  for (auto level = manifest.level; level > 0; --level) {
    CO_TRY(run.chunks, co_await read_nodes(space, run.chunks, max_run));
    narrow(run, offset, length);
  }
  co_return run;
}

Task<Result<std::vector<content::ChunkName>>> ChunkStore::missing(const UserId& user, SpaceId space,
                                                                  std::span<const content::ChunkName> names) {
  const Timestamp now = clock_.now();
  auto body = [&](Transaction& tx) -> Task<Result<std::vector<content::ChunkName>>> {
    const auto found = co_await SpaceStore::advance(tx, space, 0);
    if (!found || found->owner != user) co_return Error(Errc::not_found, "There is no such space.");
    std::vector<content::ChunkName> out;
    for (const auto& name : names) {
      if (!co_await ChunkIndex::touch(tx, space, name, false, now)) out.push_back(name);
    }
    co_return out;
  };
  co_return co_await database::transact(db_, database::Access::write, space.view(), body);
}

Task<std::shared_ptr<blob::FileHandle>> ChunkStore::open_local(std::string object) {
  {
    const std::lock_guard lock(open_mutex_);
    const auto found =
        std::find_if(open_.rbegin(), open_.rend(), [&](const auto& entry) { return entry.first == object; });
    if (found != open_.rend()) co_return found->second;
  }
  auto open = [&] { return blobs_.open_local(object); };
  auto handle = co_await core::blocking(pool_, open);
  if (handle) {
    const std::lock_guard lock(open_mutex_);
    if (open_.size() >= max_open_files) open_.erase(open_.begin(), open_.begin() + max_open_files / 4);
    open_.emplace_back(std::move(object), handle);
  }
  co_return handle;
}

}  // namespace clouddocs::storage
