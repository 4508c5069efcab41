// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <deque>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "client/apply/chunk_reader.hpp"
#include "client/apply/workers.hpp"
#include "client/remote/remote.hpp"
#include "client/scan/file_system.hpp"
#include "client/state/state.hpp"

namespace clouddocs::client {

// A file to read, and what came of it.
struct UploadJob {
  std::filesystem::path path;
  Stamp stamp;  // the file must still have it after reading
  std::optional<KnownContent>
      known;  // in: found in the state; out: set when the content is known and held by the server
  bool is_changing = false;           // it was written to while being read: try again later
  std::string failure;                // why it could not be done, for a person
};

// Reads files once: cuts them into chunks, hashes these and sends the ones that the server lacks, many small files in one request; reading, hashing
// and sending overlap. Used once.
class Uploader {
 public:
  Uploader(Remote& remote, const SpaceId& space, const Workers& workers,
           std::function<void(std::int64_t bytes)> on_progress);
  // Throws net::NetworkError.
  void run(std::vector<UploadJob>& jobs);

 private:
  struct Piece {
    content::ChunkName name;
    std::shared_ptr<const core::Bytes> memory;  // null: read again from the file if the server wants it
    core::ByteView bytes;  // in `memory`
    std::size_t job = 0;
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
  };
  struct Load {
    std::vector<Piece> pieces;
    std::size_t bytes = 0;
    std::size_t held = 0;  // memory that the pieces keep, with what lies between them
  };

  void read_small(std::size_t first, std::size_t last);
  void read_large(std::size_t index);
  void add_known(std::size_t index);
  void add_manifest(std::size_t index);
  void add(Piece piece);
  void flush();
  void wait_for_room(std::size_t loads);
  void send(Load& load);
  core::Result<> send_missing(const Load& load);
  void fail(const Load& load, const core::Error& error);

  Remote& remote_;
  SpaceId space_;
  const Workers& workers_;
  std::function<void(std::int64_t)> on_progress_;
  std::vector<UploadJob>* jobs_ = nullptr;
  BlockPool blocks_;
  Load load_;
  std::unordered_set<content::ChunkName> seen_;  // offered in this run already
  std::deque<std::future<void>> sending_;
  std::mutex mutex_;
  std::unordered_map<std::size_t, core::Error> failed_;  // by job, guarded by mutex_
};

}  // namespace clouddocs::client
