// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/apply/uploader.hpp"

#include <algorithm>

#include "content/chunker.hpp"
#include "content/part_hasher.hpp"
#include "content/sha256.hpp"

namespace clouddocs::client {
namespace {

constexpr std::int64_t small_file = 1 << 20;       // read whole, many at once
constexpr std::size_t load_limit = 24U << 20;      // bytes of one request
constexpr std::size_t load_memory = 64U << 20;     // more than its bytes where most chunks of a file are repeated
constexpr std::size_t load_pieces = 8'000;         // names of one request
constexpr std::size_t loads_in_flight = 2;         // bounds memory: this many loads wait for the network
constexpr std::size_t group_files = 512;
constexpr std::int64_t group_bytes = 16 << 20;

// Cuts bytes that are all there.
std::vector<content::ChunkRef> cut(core::ByteView bytes) {
  std::vector<content::ChunkRef> out;
  content::Chunker chunker;
  while (!bytes.empty()) {
    bool boundary = false;
    const auto size = chunker.next(bytes, boundary);
    out.push_back({content::name_of(bytes.first(size)), size});
    bytes = bytes.subspan(size);
  }
  return out;
}

// The hash of the whole file; that of its only chunk if there is but one.
content::Sha256 hash_whole(core::ByteView bytes, std::span<const content::ChunkRef> chunks) {
  if (chunks.size() != 1) return content::sha256(bytes);
  content::Sha256 out;
  std::copy_n(chunks[0].name.bytes.begin() + 1, out.size(), out.begin());
  return out;
}

bool is_unchanged(const Fd& file, const UploadJob& job) { return stat_of(file, job.path).stamp == job.stamp; }

}  // namespace

Uploader::Uploader(Remote& remote, const SpaceId& space, const Workers& workers,
                   std::function<void(std::int64_t)> on_progress)
    : remote_(remote), space_(space), workers_(workers), on_progress_(std::move(on_progress)) {}

void Uploader::run(std::vector<UploadJob>& jobs) {
  jobs_ = &jobs;
  for (std::size_t at = 0; at < jobs.size();) {
    if (jobs[at].known) {
      add_known(at++);
    } else if (jobs[at].stamp.size > small_file) {
      read_large(at++);
    } else {
      std::size_t end = at;
      std::int64_t bytes = 0;
      while (end < jobs.size() && end - at < group_files && bytes < group_bytes && !jobs[end].known &&
             jobs[end].stamp.size <= small_file) {
        bytes += jobs[end++].stamp.size;
      }
      read_small(at, end);
      at = end;
    }
  }
  flush();
  wait_for_room(0);
  for (const auto& [index, error] : failed_) {
    jobs[index].is_changing = error.code == core::Errc::chunk_unknown;
    if (!jobs[index].is_changing)
      jobs[index].failure = error.detail.empty() ? std::string(core::to_code(error.code)) : error.detail;
    jobs[index].known.reset();
  }
}

void Uploader::read_small(std::size_t first, std::size_t last) {
  std::vector<std::shared_ptr<core::Bytes>> contents(last - first);
  workers_.for_each(last - first, [&](std::size_t i) {
    auto& job = (*jobs_)[first + i];
    try {
      const auto file = open_for_reading(job.path);
      contents[i] =
          std::make_shared<core::Bytes>(static_cast<std::size_t>(job.stamp.size) + 1);  // one more: has it grown?
      auto& bytes = *contents[i];
      bytes.resize(read_at(file, 0, bytes, job.path));
      job.is_changing = static_cast<std::int64_t>(bytes.size()) != job.stamp.size || !is_unchanged(file, job);
      if (job.is_changing) return;
      KnownContent known;
      known.chunks = cut(bytes);
      known.sha256 = hash_whole(bytes, known.chunks);
      known.content_id = content::content_id(known.chunks);
      job.known = std::move(known);
    } catch (const FileError& error) {
      job.failure = error.what();
    }
  });
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const auto& job = (*jobs_)[first + i];
    if (!job.known) continue;
    std::uint64_t offset = 0;
    for (const auto& chunk : job.known->chunks) {
      const auto bytes = core::ByteView(*contents[i]).subspan(offset, chunk.size);
      add({chunk.name, contents[i], bytes, first + i, offset, static_cast<std::uint32_t>(chunk.size)});
      offset += chunk.size;
    }
  }
}

void Uploader::read_large(std::size_t index) {
  auto& job = (*jobs_)[index];
  try {
    const auto file = open_for_reading(job.path);
    KnownContent known;
    content::PartHasher hasher;
    std::uint64_t offset = 0;
    ChunkReader reader(file, job.path, blocks_);
    for (auto block = reader.next(); !block.chunks.empty();) {
      // This block is hashed while the next one is read and cut.
      ChunkReader::Block next;
      std::vector<content::ChunkName> names;
      workers_.for_each(2, [&](std::size_t i) {
        if (i == 1) {
          next = reader.next();
          return;
        }
        for (const auto& chunk : block.chunks) {
          hasher.update(chunk);
          names.push_back(content::make_chunk_name(hasher.finish_part()));
        }
      });
      for (std::size_t i = 0; i < names.size(); ++i) {
        const auto size = static_cast<std::uint32_t>(block.chunks[i].size());
        known.chunks.push_back({names[i], size});
        add({names[i], block.memory, block.chunks[i], index, offset, size});
        offset += size;
      }
      block = std::move(next);
    }
    job.is_changing = static_cast<std::int64_t>(offset) != job.stamp.size || !is_unchanged(file, job);
    if (job.is_changing) return;
    known.sha256 = hasher.finish_whole();
    known.content_id = content::content_id(known.chunks);
    job.known = std::move(known);
    add_manifest(index);
  } catch (const FileError& error) {
    job.failure = error.what();
  }
}

// The content is known from before: nothing to read unless the server lacks some of it.
void Uploader::add_known(std::size_t index) {
  std::uint64_t offset = 0;
  for (const auto& chunk : (*jobs_)[index].known->chunks) {
    add({chunk.name, nullptr, {}, index, offset, static_cast<std::uint32_t>(chunk.size)});
    offset += chunk.size;
  }
  add_manifest(index);
}

void Uploader::add_manifest(std::size_t index) {
  std::vector<content::ManifestNode> nodes;
  content::make_manifest((*jobs_)[index].known->chunks, nodes);
  for (auto& node : nodes) {
    const auto memory = std::make_shared<const core::Bytes>(std::move(node.bytes));
    add({node.ref.name, memory, *memory, index, 0, static_cast<std::uint32_t>(memory->size())});
  }
}

void Uploader::add(Piece piece) {
  if (on_progress_ && piece.size > 0) on_progress_(piece.size);
  if (!seen_.insert(piece.name).second) return;
  load_.bytes += piece.size;
  if (piece.memory && (load_.pieces.empty() || load_.pieces.back().memory != piece.memory))
    load_.held += piece.memory->size();
  load_.pieces.push_back(std::move(piece));
  if (load_.bytes >= load_limit || load_.held >= load_memory || load_.pieces.size() >= load_pieces) flush();
}

void Uploader::flush() {
  if (load_.pieces.empty()) return;
  wait_for_room(loads_in_flight - 1);
  auto load = std::make_shared<Load>(std::exchange(load_, {}));
  sending_.push_back(workers_.start([this, load] { send(*load); }));
  if (workers_.is_inline()) wait_for_room(0);
}

void Uploader::wait_for_room(std::size_t loads) {
  while (sending_.size() > loads) {
    auto oldest = std::move(sending_.front());
    sending_.pop_front();
    oldest.get();
  }
}

void Uploader::send(Load& load) {
  try {
    const auto outcome = send_missing(load);
    if (outcome.has_error()) fail(load, outcome.error());
  } catch (const FileError& error) {
    fail(load, {core::Errc::chunk_unknown, error.what()});  // gone since it was read
  }
}

core::Result<> Uploader::send_missing(const Load& load) {
  std::vector<content::ChunkName> names;
  names.reserve(load.pieces.size());
  for (const auto& piece : load.pieces) names.push_back(piece.name);
  TRY(const auto missing, remote_.missing(space_, names));
  if (missing.empty()) return {};
  const std::unordered_set<content::ChunkName> wanted(missing.begin(), missing.end());
  core::Bytes heads;
  heads.reserve((missing.size() + 1) * content::frame_header_size);  // the views of it stay
  std::vector<core::ByteView> stream;
  std::vector<core::Bytes> again;
  auto take_head = [&, taken = std::size_t{0}]() mutable {
    stream.push_back(core::ByteView(heads).subspan(taken));
    taken = heads.size();
  };
  for (const auto& piece : load.pieces) {
    if (!wanted.contains(piece.name)) continue;
    content::append_frame_header(heads, piece.name, piece.size);
    take_head();
    if (piece.memory) {
      stream.push_back(piece.bytes);
      continue;
    }
    const auto& path = (*jobs_)[piece.job].path;
    auto& bytes = again.emplace_back(piece.size);
    bytes.resize(read_at(open_for_reading(path), piece.offset, bytes, path));
    if (content::name_of(bytes) != piece.name)
      return core::Error(core::Errc::chunk_unknown, path.string() + " is being written to");
    stream.emplace_back(bytes);
  }
  content::append_end_frame(heads);
  take_head();
  return remote_.store(space_, stream);
}

// Reached from the sending thread, while the reader adds to jobs behind these: a failure is noted where run() looks at the end.
void Uploader::fail(const Load& load, const core::Error& error) {
  const std::lock_guard lock(mutex_);
  for (const auto& piece : load.pieces) failed_.insert_or_assign(piece.job, error);
}

}  // namespace clouddocs::client
