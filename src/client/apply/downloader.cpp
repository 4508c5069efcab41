// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/apply/downloader.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "content/sha256.hpp"

namespace clouddocs::client {
namespace {

constexpr std::uint64_t group_bytes = 16U << 20;
constexpr std::size_t group_chunks = 4'000;
constexpr std::int64_t worth_reusing = 256 << 10;  // smaller files are not indexed by chunk
constexpr std::uint32_t max_level = 4;
constexpr std::int64_t kept_open = 8 << 20;  // a window of the applier holds few files of this size
constexpr std::uint64_t write_back_step = 8U << 20;
constexpr std::size_t reuse_stripe = 16;  // chunks looked for by one task

Fd open_for_writing(const std::filesystem::path& path, int flags) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0666));
  if (!file.is_open()) throw FileError("write", path, errno);
  return file;
}

// The hash of a file that is one chunk names this chunk: whether it is, the content id tells, so the server need not be asked.
bool is_known_chunk(DownloadJob& job) {
  const content::ChunkRef only{content::make_chunk_name(job.target.sha256),
                               static_cast<std::uint64_t>(job.target.size)};
  if (only.size > content::max_chunk_size || content::content_id({&only, 1}) != job.target.content_id) return false;
  job.chunks = {only};
  return true;
}

// Small files come in one piece, which is all that their temporary file ever sees.
bool is_one_piece(const DownloadJob& job) { return job.chunks.size() == 1 && job.target.size < worth_reusing; }

void finish_file(DownloadJob& job, const Fd& file) {
  set_meta(file, job.temporary, job.target.modified_at, job.target.executable);
  job.stamp = stat_of(file, job.temporary).stamp;
  job.is_done = true;
}

}  // namespace

Downloader::Downloader(Remote& remote, const State& state, const SpaceId& space, const Workers& workers, PathOf path_of,
                       std::function<void(std::int64_t)> on_progress)
    : remote_(remote),
      state_(state),
      space_(space),
      workers_(workers),
      path_of_(std::move(path_of)),
      on_progress_(std::move(on_progress)) {}

void Downloader::run(std::vector<DownloadJob>& jobs) {
  jobs_ = &jobs;
  outputs_ = std::vector<Output>(jobs.size());
  ask_manifests();
  collect_needs();
  reuse();
  fetch_all();
  finish();
}

void Downloader::ask_manifests() {
  std::vector<VersionOf> files;
  std::unordered_map<NodeId, DownloadJob*> by_id;
  for (auto& job : *jobs_) {
    if (job.target.size == 0 || is_known_chunk(job)) continue;
    files.push_back({job.target.id, job.target.version});
    by_id[job.target.id] = &job;
  }
  if (files.empty()) return;
  auto answer = remote_.manifests(space_, files);
  if (answer.has_error()) throw core::ErrorException(answer.error());
  for (auto& content : *answer) {
    auto found = by_id.find(content.id);
    if (found == by_id.end()) continue;
    auto& job = *found->second;
    if (content.is_found) {
      job.is_overtaken = !expand(job, std::move(content.manifest));
    }
  }
  for (const auto& [id, job] : by_id) job->is_overtaken = job->is_overtaken || job->chunks.empty();
}

// Fetches the nodes of a folded manifest and checks that the chunks are those of the content that was announced.
bool Downloader::expand(DownloadJob& job, content::Manifest manifest) {
  if (manifest.level > max_level) return false;
  for (; manifest.level > 0; --manifest.level) {
    std::vector<content::ChunkName> names;
    for (const auto& entry : manifest.entries) names.push_back(entry.name);
    auto nodes = fetch_nodes(names);
    if (nodes.has_error()) return false;
    std::vector<content::ChunkRef> below;
    for (const auto& name : names) {
      auto node = nodes->find(name);
      if (node == nodes->end()) return false;
      auto entries = content::decode_node(node->second);
      if (entries.has_error()) return false;
      below.insert(below.end(), entries->begin(), entries->end());
    }
    manifest.entries = std::move(below);
  }
  if (static_cast<std::int64_t>(manifest.size()) != job.target.size ||
      content::content_id(manifest.entries) != job.target.content_id)
    return false;
  for (const auto& chunk : manifest.entries) {
    if (chunk.size > content::max_chunk_size) return false;
  }
  job.chunks = std::move(manifest.entries);
  return true;
}

core::Result<std::unordered_map<content::ChunkName, core::Bytes>> Downloader::fetch_nodes(
    const std::vector<content::ChunkName>& names) {
  std::unordered_map<content::ChunkName, core::Bytes> out;
  TRY_CHECK(remote_.fetch(space_, names, [&](content::ChunkStreamParser::Frame frame) {
    if (!frame.missing && content::name_of(frame.bytes) == frame.name) out[frame.name] = std::move(frame.bytes);
    return true;
  }));
  return out;
}

void Downloader::collect_needs() {
  std::unordered_map<content::ChunkName, std::size_t> index;
  for (std::size_t i = 0; i < jobs_->size(); ++i) {
    auto& job = (*jobs_)[i];
    if (job.is_overtaken) continue;
    std::uint64_t offset = 0;
    for (const auto& chunk : job.chunks) {
      const auto [at, is_new] = index.emplace(chunk.name, needs_.size());
      if (is_new) needs_.push_back({chunk.name, chunk.size, {}, {}, false});
      auto& need = needs_[at->second];
      need.spots.push_back({i, offset});
      if (is_new && job.target.size >= worth_reusing) {
        for (const auto& place : state_.find_chunk(chunk.name))
          need.held.push_back(
              {path_of_(place.file), static_cast<std::uint64_t>(place.offset), place.file == job.target.id});
      }
      offset += chunk.size;
    }
    prepare(i);
  }
}

// Gives the temporary file the right length at once, so that chunks may come in any order.
void Downloader::prepare(std::size_t index) {
  auto& job = (*jobs_)[index];
  auto& output = outputs_[index];
  if (is_one_piece(job)) return;
  try {
    Fd file(::open(job.temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
    output.is_leftover = !file.is_open();
    if (output.is_leftover) file = open_for_writing(job.temporary, O_CREAT);
    if (::ftruncate(file.get(), static_cast<off_t>(job.target.size)) != 0)
      throw FileError("write", job.temporary, errno);
    if (job.target.size >= kept_open) output.file = std::move(file);
  } catch (const FileError& error) {
    job.failure = error.what();
  }
}

void Downloader::reuse() {
  workers_.for_each((needs_.size() + reuse_stripe - 1) / reuse_stripe, [&](std::size_t stripe) {
    core::Bytes buffer;
    const auto end = std::min(needs_.size(), (stripe + 1) * reuse_stripe);
    for (auto i = stripe * reuse_stripe; i < end; ++i) {
      auto& need = needs_[i];
      const auto spot = need.spots.front().job;
      if (need.held.empty() && !outputs_[spot].is_leftover) continue;
      buffer.resize(std::max<std::size_t>(buffer.size(), need.size));
      need.is_held = reuse_one(need, std::span(buffer).first(need.size));
    }
  });
}

// Bytes of this disk are checked like those that come over the network: the file that they are taken from may be damaged or, though its
// stamp is the old one, written to through a mapping.
bool Downloader::reuse_one(Need& need, std::span<std::byte> buffer) {
  const auto& spot = need.spots.front();
  const auto& job = (*jobs_)[spot.job];
  auto try_from = [&](const std::filesystem::path& path, std::uint64_t offset, bool is_replaced) {
    try {
      const auto file = open_for_reading(path);
      const bool is_whole = read_at(file, offset, buffer, path) == need.size;
      if (is_replaced) drop_cached(file, offset, need.size);  // so that the new file can have this memory
      return is_whole && content::name_of(buffer) == need.name;
    } catch (const FileError&) {
      return false;
    }
  };
  const bool is_in_place = outputs_[spot.job].is_leftover && try_from(job.temporary, spot.offset, false);
  bool is_there = is_in_place;
  for (std::size_t i = 0; !is_there && i < need.held.size(); ++i) {
    const auto& held = need.held[i];
    is_there = !held.path.empty() && try_from(held.path, held.offset, held.is_replaced);
  }
  if (is_there && !(is_in_place && need.spots.size() == 1)) write(need, buffer);
  if (is_in_place && need.spots.size() == 1 && on_progress_) on_progress_(static_cast<std::int64_t>(need.size));
  return is_there;
}

void Downloader::fetch_all() {
  std::vector<std::vector<Need*>> groups;
  std::uint64_t bytes = 0;
  for (auto& need : needs_) {
    if (need.is_held) continue;
    if (groups.empty() || bytes + need.size > group_bytes || groups.back().size() >= group_chunks) {
      groups.emplace_back();
      bytes = 0;
    }
    groups.back().push_back(&need);
    bytes += need.size;
  }
  workers_.for_each(groups.size(), [&](std::size_t i) { fetch_group(groups[i]); });
}

void Downloader::fetch_group(const std::vector<Need*>& group) {
  std::vector<content::ChunkName> names;
  names.reserve(group.size());
  for (const auto* need : group) names.push_back(need->name);
  std::size_t at = 0;
  const auto outcome = remote_.fetch(space_, names, [&](content::ChunkStreamParser::Frame frame) {
    if (at >= group.size()) return false;
    auto& need = *group[at++];
    const bool is_right = !frame.missing && frame.name == need.name && content::name_of(frame.bytes) == need.name;
    if (is_right) write(need, frame.bytes);
    need.is_held = is_right;
    return true;
  });
  if (outcome.has_error()) throw core::ErrorException(outcome.error());
}

void Downloader::write(const Need& need, core::ByteView bytes) {
  for (const auto& spot : need.spots) {
    auto& job = (*jobs_)[spot.job];
    try {
      if (is_one_piece(job)) {
        const auto file = open_for_writing(job.temporary, O_CREAT | O_TRUNC);
        write_at(file, 0, bytes, job.temporary);
        finish_file(job, file);
      } else {
        write_part(job, outputs_[spot.job], spot.offset, bytes);
      }
      if (on_progress_) on_progress_(static_cast<std::int64_t>(bytes.size()));
    } catch (const FileError& error) {
      const std::lock_guard lock(mutex_);
      job.failure = error.what();
    }
  }
}

void Downloader::write_part(DownloadJob& job, Output& output, std::uint64_t offset, core::ByteView bytes) {
  if (!output.file.is_open()) return write_at(open_for_writing(job.temporary, 0), offset, bytes, job.temporary);
  const std::lock_guard lock(output.writing);
  write_at(output.file, offset, bytes, job.temporary);
  const auto before = std::exchange(output.written, output.written + bytes.size());
  if (before / write_back_step != output.written / write_back_step) start_write_back(output.file);
}

void Downloader::finish() {
  for (const auto& need : needs_) {
    if (need.is_held) continue;
    for (const auto& spot : need.spots) (*jobs_)[spot.job].is_overtaken = true;
  }
  for (std::size_t i = 0; i < jobs_->size(); ++i) {
    auto& job = (*jobs_)[i];
    if (job.is_done || job.is_overtaken || !job.failure.empty()) continue;
    try {
      auto& output = outputs_[i];
      if (!output.file.is_open()) output.file = open_for_writing(job.temporary, 0);
      finish_file(job, std::exchange(output.file, Fd()));
    } catch (const FileError& error) {
      job.failure = error.what();
    }
  }
}

}  // namespace clouddocs::client
