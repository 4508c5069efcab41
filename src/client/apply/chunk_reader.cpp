// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/apply/chunk_reader.hpp"

#include <algorithm>

namespace clouddocs::client {

std::shared_ptr<core::Bytes> BlockPool::take(std::size_t size) {
  std::unique_ptr<core::Bytes> block;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      block = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (!block) block = std::make_unique<core::Bytes>();
  if (block->size() < size) block->resize(size);
  return {block.release(), [this](core::Bytes* used) {
            std::unique_ptr<core::Bytes> owned(used);
            const std::lock_guard lock(mutex_);
            free_.push_back(std::move(owned));
          }};
}

ChunkReader::ChunkReader(const Fd& file, const std::filesystem::path& path, BlockPool& pool, std::size_t block_size)
    : file_(file), path_(path), pool_(pool), block_size_(block_size) {}

ChunkReader::Block ChunkReader::next() {
  const auto memory = pool_.take(block_size_ + content::standard_limits.max);
  const std::span all(*memory);
  std::ranges::copy(begun_, all.begin());
  const auto fresh = all.subspan(begun_.size(), block_size_);
  const core::ByteView read = fresh.first(read_at(file_, position_, fresh, path_));
  position_ += read.size();

  Block block;
  const auto* start = all.data();
  const auto* at = read.data();
  for (auto rest = read; !rest.empty();) {
    bool boundary = false;
    const auto taken = chunker_.next(rest, boundary);
    rest = rest.subspan(taken);
    at += taken;
    if (!boundary) continue;
    block.chunks.emplace_back(start, at);
    start = at;
  }
  begun_ = core::ByteView(start, at);
  if (read.size() < block_size_ && !begun_.empty()) block.chunks.push_back(std::exchange(begun_, {}));
  memory_ = block.memory = memory;
  return block;
}

}  // namespace clouddocs::client
