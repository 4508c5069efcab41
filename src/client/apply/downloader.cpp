// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/apply/downloader.hpp"

#include <fcntl.h>

#include <cerrno>

#include "content/sha256.hpp"

namespace clouddocs::client {
namespace {

constexpr std::uint64_t group_bytes = 16U << 20;
constexpr std::size_t group_chunks = 4'000;
constexpr std::int64_t worth_reusing = 256 << 10;  // smaller files are not indexed by chunk
constexpr std::uint32_t max_level = 4;

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
  needs_.clear();
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
    if (job.target.size == 0) continue;  // nothing to fetch
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
          need.held.emplace_back(path_of_(place.file), place.offset);
      }
      offset += chunk.size;
    }
    // An empty file, or the right length at once, so that chunks may come in any order.
    const Fd file(::open(job.temporary.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!file.is_open() || ::ftruncate(file.get(), static_cast<off_t>(job.target.size)) != 0) {
      job.failure = FileError("write", job.temporary, errno).what();
    }
  }
}

void Downloader::reuse() {
  workers_.for_each(needs_.size(), [this](std::size_t i) { needs_[i].is_held = reuse_one(needs_[i]); });
}

bool Downloader::reuse_one(Need& need) {
  const auto& job = (*jobs_)[need.spots.front().job];
  if (job.target.size < worth_reusing) return false;
  core::Bytes bytes(need.size);
  auto try_from = [&](const std::filesystem::path& path, std::uint64_t offset) {
    try {
      return read_at(open_for_reading(path), offset, bytes, path) == need.size && content::name_of(bytes) == need.name;
    } catch (const FileError&) {
      return false;
    }
  };
  bool is_there = try_from(job.temporary, need.spots.front().offset);  // left by an earlier run
  for (std::size_t i = 0; !is_there && i < need.held.size(); ++i) {
    is_there = !need.held[i].first.empty() && try_from(need.held[i].first, need.held[i].second);
  }
  if (is_there) write(need, bytes);
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
    const Fd file(::open(job.temporary.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    try {
      if (!file.is_open()) throw FileError("write", job.temporary, errno);
      write_at(file, spot.offset, bytes, job.temporary);
      if (on_progress_) on_progress_(static_cast<std::int64_t>(bytes.size()));
    } catch (const FileError& error) {
      const std::lock_guard lock(mutex_);
      job.failure = error.what();
    }
  }
}

void Downloader::finish() {
  for (const auto& need : needs_) {
    if (need.is_held) continue;
    for (const auto& spot : need.spots) (*jobs_)[spot.job].is_overtaken = true;
  }
  for (auto& job : *jobs_) {
    if (job.is_overtaken || !job.failure.empty()) continue;
    try {
      const Fd file(::open(job.temporary.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
      if (!file.is_open()) throw FileError("write", job.temporary, errno);
      set_meta(file, job.temporary, job.target.modified_at, job.target.executable);
      job.stamp = stat_of(file, job.temporary).stamp;
      job.is_done = true;
    } catch (const FileError& error) {
      job.failure = error.what();
    }
  }
}

}  // namespace clouddocs::client
