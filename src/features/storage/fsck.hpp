// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <functional>
#include <string>

#include "features/storage/chunk_store.hpp"
#include "features/storage/tree_store.hpp"

namespace clouddocs::storage {

enum class FsckDepth {
  structure,  // rows and objects fit together; no content is read
  sample,     // and every 64th chunk is read and hashed
  full,       // and every chunk, and the SHA-256 of every content
};

struct FsckOptions {
  FsckDepth depth = FsckDepth::structure;
  // Corrects counters that do not match, and marks contents that were read and found right as verified. Never deletes.
  bool repair = false;
};

struct FsckReport {
  std::int64_t spaces = 0;
  std::int64_t nodes = 0;
  std::int64_t versions = 0;
  std::int64_t chunks = 0;
  std::int64_t chunks_read = 0;
  std::int64_t bytes_read = 0;
  std::int64_t problems = 0;
  std::int64_t repaired = 0;
};

// Checks that what is stored is what was promised: trees without loose ends, exact counters, and contents whose bytes are the bytes that came in.
// Reads only, unless told to repair. May run beside the server: what is being changed meanwhile is read again before it is reported.
class Fsck {
 public:
  using Reporter = std::function<void(const std::string& problem)>;
  Fsck(ChunkStore& chunks, FsckOptions options, Reporter reporter)
      : chunks_(chunks), options_(options), reporter_(std::move(reporter)) {}

  Task<Result<FsckReport>> run();

 private:
  Task<Result<>> check_space(SpaceId space);
  // Counters and tree, in one snapshot. The problems found.
  Task<Result<std::vector<std::string>>> check_tree(SpaceId space);
  Task<Result<>> check_versions(SpaceId space);
  Task<Result<>> check_version(SpaceId space, NodeId file, const Version& version);
  Task<Result<>> check_chunk_places(SpaceId space);
  Task<Result<>> check_content(SpaceId space, NodeId file, const Version& version,
                               std::span<const content::ChunkRef> chunks);
  Task<Result<>> repair_counters(SpaceId space);
  void problem(SpaceId space, const std::string& text);

  ChunkStore& chunks_;
  FsckOptions options_;
  Reporter reporter_;
  FsckReport report_;
};

}  // namespace clouddocs::storage
