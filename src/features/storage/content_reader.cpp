// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/content_reader.hpp"

#include <set>

#include "content/chunk_stream.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;

constexpr std::size_t max_regions = 192;  // open files of one download
constexpr std::uint64_t max_stream_bytes = 64U << 20;
constexpr std::size_t piece_size = 1U << 20;
constexpr std::uint64_t worth_a_region =
    64U << 10;  // smaller chunks are gathered: sending them one by one costs more than copying

// A stretch of bytes in one place.
struct Stretch {
  std::string object;  // "" for a small chunk
  std::int64_t small_id = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// The stretches that hold [offset, offset + length) of a content, of which these chunks are a run; neighbours in one object become one.
std::vector<Stretch> cut(std::span<const ChunkPlace> places, std::uint64_t begin_of_first, std::uint64_t offset,
                         std::uint64_t length) {
  std::vector<Stretch> out;
  std::uint64_t at = begin_of_first;
  for (const auto& place : places) {
    const std::uint64_t begin = std::max(at, offset);
    const std::uint64_t end = std::min(at + place.size, offset + length);
    if (begin < end) {
      const std::uint64_t from = place.offset + (begin - at);
      const bool joins = !out.empty() && !place.object.empty() && out.back().object == place.object &&
                         out.back().offset + out.back().length == from;
      if (joins) {
        out.back().length += end - begin;
      } else {
        out.push_back({place.object, place.small_id, from, end - begin});
      }
    }
    at += place.size;
  }
  return out;
}

// Reads stretches while they are sent, one piece at a time.
class StretchSource final : public net::BodySource {
 public:
  StretchSource(ChunkStore& chunks, std::vector<Stretch> stretches)
      : chunks_(chunks), stretches_(std::move(stretches)) {}

  Task<core::ByteView> next() override {
    if (index_ == stretches_.size()) co_return core::ByteView();
    const Stretch& stretch = stretches_[index_];
    const std::uint64_t length = std::min<std::uint64_t>(piece_size, stretch.length - done_);
    if (stretch.object.empty()) {
      const core::Bytes whole = co_await chunks_.read_small(stretch.small_id);
      piece_.assign(whole.begin() + static_cast<std::ptrdiff_t>(stretch.offset),
                    whole.begin() + static_cast<std::ptrdiff_t>(stretch.offset + stretch.length));
      done_ = stretch.length;
    } else {
      auto bytes = co_await chunks_.blobs().get(stretch.object, stretch.offset + done_, length);
      if (bytes.has_error()) throw blob::StorageUnavailable("object " + stretch.object + " is missing or too short");
      piece_ = std::move(bytes).value();
      done_ += length;
    }
    if (done_ == stretch.length) {
      done_ = 0;
      ++index_;
    }
    co_return piece_;
  }

 private:
  ChunkStore& chunks_;
  std::vector<Stretch> stretches_;
  std::size_t index_ = 0;
  std::uint64_t done_ = 0;
  core::Bytes piece_;
};

// A chunk that was asked for; without a place when the space has no such chunk.
struct Entry {
  content::ChunkName name;
  std::optional<ChunkPlace> place;
};

// Frames of a bulk answer, gathered into pieces of about piece_size. Chunks that lie side by side are read at once.
class FrameSource final : public net::BodySource {
 public:
  FrameSource(ChunkStore& chunks, std::vector<Entry> entries) : chunks_(chunks), entries_(std::move(entries)) {}

  Task<core::ByteView> next() override {
    piece_.clear();
    while (index_ < entries_.size() && piece_.size() < piece_size) {
      const std::span<const Entry> run = next_run();
      index_ += run.size();
      if (!run.front().place) {
        content::append_frame_header(piece_, run.front().name, content::chunk_missing);
      } else if (run.front().place->object.empty()) {
        co_await add_small(run);
      } else {
        co_await add_neighbours(run);
      }
    }
    if (index_ == entries_.size() && !ended_) {
      content::append_end_frame(piece_);
      ended_ = true;
    }
    co_return piece_;
  }

 private:
  // The following entries that one read can bring.
  std::span<const Entry> next_run() const {
    const auto rest = std::span<const Entry>(entries_).subspan(index_);
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    for (; count < rest.size() && rest[count].place; ++count) {
      const ChunkPlace& place = *rest[count].place;
      const bool joins = count == 0 || (place.object == rest[0].place->object &&
                                        (place.object.empty() || place.offset == rest[0].place->offset + bytes));
      if (!joins || (count > 0 && bytes + place.size > piece_size)) break;
      bytes += place.size;
    }
    return rest.first(std::max<std::size_t>(count, 1));
  }

  Task<> add_small(std::span<const Entry> run) {
    auto body = [&](Transaction& tx) -> Task<Result<std::vector<core::Bytes>>> {
      std::vector<core::Bytes> contents;
      contents.reserve(run.size());
      for (const auto& entry : run) contents.push_back(co_await ChunkIndex::small_bytes(tx, entry.place->small_id));
      co_return contents;
    };
    const auto contents = co_await database::read(chunks_.db(), body);
    for (std::size_t i = 0; i < run.size(); ++i) add_frame(run[i], contents.value()[i]);
  }

  Task<> add_neighbours(std::span<const Entry> run) {
    const ChunkPlace& first = *run.front().place;
    const ChunkPlace& last = *run.back().place;
    auto bytes = co_await chunks_.blobs().get(first.object, first.offset, last.offset + last.size - first.offset);
    if (bytes.has_error()) throw blob::StorageUnavailable("object " + first.object + " is missing or too short");
    core::ByteView rest(bytes.value());
    for (const auto& entry : run) {
      add_frame(entry, rest.first(entry.place->size));
      rest = rest.subspan(entry.place->size);
    }
  }

  void add_frame(const Entry& entry, core::ByteView bytes) {
    content::append_frame_header(piece_, entry.name, entry.place->size);
    piece_.insert(piece_.end(), bytes.begin(), bytes.end());
  }

  ChunkStore& chunks_;
  std::vector<Entry> entries_;
  std::size_t index_ = 0;
  bool ended_ = false;
  core::Bytes piece_;
};

// A bulk answer as frame headers and file regions; nullopt when a chunk does not lie in a local object, or in too many of them.
Task<std::optional<net::BodyParts>> to_parts(ChunkStore& chunks, std::span<const Entry> entries) {
  net::BodyParts parts;
  core::Bytes head;
  auto add_head = [&] {
    parts.length += head.size();
    parts.parts.emplace_back(std::make_shared<const std::string>(core::as_text(head)));
    head.clear();
  };
  std::set<std::string_view> objects;
  for (const auto& entry : entries) {
    content::append_frame_header(head, entry.name, entry.place ? entry.place->size : content::chunk_missing);
    if (!entry.place) continue;
    add_head();
    if (entry.place->object.empty()) co_return std::nullopt;
    objects.insert(entry.place->object);
    if (objects.size() > max_regions) co_return std::nullopt;
    auto handle = co_await chunks.open_local(entry.place->object);
    if (!handle) co_return std::nullopt;
    const int fd = handle->fd();
    parts.length += entry.place->size;
    parts.parts.emplace_back(net::FileRegion{std::move(handle), fd, entry.place->offset, entry.place->size});
  }
  content::append_end_frame(head);
  add_head();
  co_return parts;
}

}  // namespace

Task<Result<ContentReader::Body>> ContentReader::open(SpaceId space, const Version& version, std::uint64_t offset,
                                                      std::uint64_t length) {
  CO_TRY(const content::Manifest manifest, content::decode_manifest(version.manifest));
  CO_TRY(const ChunkRun run, co_await chunks_.find_run(space, manifest, offset, length));
  CO_TRY(const std::vector<ChunkPlace> places, co_await chunks_.locate(space, run.chunks));
  std::vector<Stretch> stretches = cut(places, run.begin, offset, length);
  if (stretches.size() == 1 && stretches.front().object.empty()) {
    const auto& only = stretches.front();
    const core::Bytes bytes = co_await chunks_.read_small(only.small_id);
    co_return Body(std::string(core::as_text(core::ByteView(bytes).subspan(only.offset, only.length))));
  }
  if (stretches.size() <= max_regions) {
    net::BodyParts parts;
    parts.length = length;
    bool local = true;
    for (const auto& stretch : stretches) {
      if (stretch.object.empty()) {
        const core::Bytes bytes = co_await chunks_.read_small(stretch.small_id);
        parts.parts.emplace_back(std::make_shared<const std::string>(
            core::as_text(core::ByteView(bytes).subspan(stretch.offset, stretch.length))));
        continue;
      }
      auto handle = co_await chunks_.open_local(stretch.object);
      if (!handle) {
        local = false;
        break;
      }
      const int fd = handle->fd();
      parts.parts.emplace_back(net::FileRegion{std::move(handle), fd, stretch.offset, stretch.length});
    }
    if (local) co_return Body(std::move(parts));
  }
  co_return Body(net::BodyStream{std::make_unique<StretchSource>(chunks_, std::move(stretches)), length});
}

Task<Result<ContentReader::Body>> ContentReader::open_stream(SpaceId space, std::span<const content::ChunkName> names) {
  auto body = [&](Transaction& tx) -> Task<Result<std::vector<Entry>>> {
    std::vector<Entry> entries;
    entries.reserve(names.size());
    for (const auto& name : names) entries.push_back({name, co_await ChunkIndex::find(tx, space, name)});
    co_return entries;
  };
  CO_TRY(std::vector<Entry> entries, co_await database::read(chunks_.db(), body));
  std::uint64_t length = content::frame_header_size * (entries.size() + 1);
  for (const auto& entry : entries) {
    if (entry.place) length += entry.place->size;
  }
  if (length > max_stream_bytes + content::frame_header_size * (entries.size() + 1)) {
    co_return Error(Errc::invalid_request,
                    "These chunks have more than 64 MiB together. Ask for them in several requests.");
  }
  if (length >= worth_a_region * entries.size()) {
    if (auto parts = co_await to_parts(chunks_, entries)) co_return Body(std::move(*parts));
  }
  co_return Body(net::BodyStream{std::make_unique<FrameSource>(chunks_, std::move(entries)), length});
}

}  // namespace clouddocs::storage
