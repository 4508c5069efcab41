// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/apply/workers.hpp"
#include "client/remote/remote.hpp"
#include "client/scan/file_system.hpp"
#include "client/state/state.hpp"

namespace clouddocs::client {

// A file to bring to the disk, and what came of it.
struct DownloadJob {
  Node target;  // id, version, content_id, sha256, size, time, executable
  std::filesystem::path temporary;  // where the content goes; what an earlier run left there is used
  std::vector<content::ChunkRef> chunks;  // out
  Stamp stamp;          // out: of the complete temporary file
  bool is_done = false;
  bool is_overtaken = false;  // the server no longer has this version: look again
  std::string failure;        // why it could not be done, for a person
};

// Brings contents to temporary files: takes chunks that this disk holds already, fetches the rest, many files in one request, and checks
// every chunk against its name and the list of chunks against the content id. Used once.
class Downloader {
 public:
  // `path_of`: where a file of the synced tree lies on the disk now; empty when it does not.
  using PathOf = std::function<std::filesystem::path(const NodeId&)>;
  Downloader(Remote& remote, const State& state, const SpaceId& space, const Workers& workers, PathOf path_of,
             std::function<void(std::int64_t bytes)> on_progress);
  // At most 1,000 jobs. Throws net::NetworkError.
  void run(std::vector<DownloadJob>& jobs);

 private:
  struct Spot {
    std::size_t job;
    std::uint64_t offset;
  };
  // Where this disk may hold a chunk.
  struct Held {
    std::filesystem::path path;
    std::uint64_t offset = 0;
    bool is_replaced = false;  // by the file that the chunk is for
  };
  struct Need {
    content::ChunkName name;
    std::uint64_t size = 0;
    std::vector<Spot> spots;
    std::vector<Held> held;
    bool is_held = false;
  };
  // The temporary file of a job.
  struct Output {
    Fd file;  // large ones stay open until the end
    bool is_leftover = false;  // an earlier run may have brought some of it
    std::mutex writing;  // the kernel takes one write to a file at a time and lets the others spin
    std::uint64_t written = 0;  // guarded by it
  };

  void ask_manifests();
  bool expand(DownloadJob& job, content::Manifest manifest);
  core::Result<std::unordered_map<content::ChunkName, core::Bytes>> fetch_nodes(
      const std::vector<content::ChunkName>& names);
  void collect_needs();
  void prepare(std::size_t job);
  void reuse();
  bool reuse_one(Need& need, std::span<std::byte> buffer);
  void fetch_all();
  void fetch_group(const std::vector<Need*>& group);
  void write(const Need& need, core::ByteView bytes);
  void write_part(DownloadJob& job, Output& output, std::uint64_t offset, core::ByteView bytes);
  void finish();

  Remote& remote_;
  const State& state_;
  SpaceId space_;
  const Workers& workers_;
  PathOf path_of_;
  std::function<void(std::int64_t)> on_progress_;
  std::vector<DownloadJob>* jobs_ = nullptr;
  std::vector<Output> outputs_;  // one for each job
  std::vector<Need> needs_;
  std::mutex mutex_;  // guards the outcome members of jobs while groups are fetched
};

}  // namespace clouddocs::client
