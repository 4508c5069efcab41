// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "client/scan/file_system.hpp"
#include "content/chunker.hpp"

namespace clouddocs::client {

// Memory for blocks of files. What its last user has let go is used again: fresh pages cost more than the copy into them. Thread-safe; outlives what
// was taken from it.
class BlockPool {
 public:
  std::shared_ptr<core::Bytes> take(std::size_t size);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<core::Bytes>> free_;
};

// Reads a file from its beginning, once, and cuts it into chunks, which lie in the blocks that were read. Not thread-safe.
class ChunkReader {
 public:
  ChunkReader(const Fd& file, const std::filesystem::path& path, BlockPool& pool, std::size_t block_size = 8U << 20);

  // The chunks that end in a block; they lie in `memory`.
  struct Block {
    std::shared_ptr<const core::Bytes> memory;
    std::vector<core::ByteView> chunks;
  };
  // The last chunk ends with the file; after that no chunks. Throws FileError.
  Block next();

 private:
  const Fd& file_;
  const std::filesystem::path& path_;
  BlockPool& pool_;
  std::size_t block_size_;
  content::Chunker chunker_;
  std::uint64_t position_ = 0;
  std::shared_ptr<const core::Bytes> memory_;  // of the block before
  core::ByteView begun_;  // the chunk that goes on in the next block
};

}  // namespace clouddocs::client
