// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/content_upload.hpp"

#include "content/chunker.hpp"
#include "content/part_hasher.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;

constexpr std::size_t block_size = 1U << 20;  // smaller ones cost more changes of threads
constexpr std::size_t hash_inline = 32U << 10;  // cheaper to hash on the spot than to hand over

constexpr std::uint64_t record_every =
    64U << 20;  // what the quota learns of late, and garbage collection may not yet have seen

struct Block {
  core::Bytes bytes;  // grows with what arrives, up to block_size: a small file costs a small buffer
  std::size_t size = 0;
  std::vector<ChunkEnd> ends;  // once it is cut
  core::ByteView view() const { return core::ByteView(bytes).first(size); }
};

class Receiver {
 public:
  Receiver(ChunkStore& store, SpaceId space, const PieceSource& source, const UploadLimits& limits)
      : store_(store), source_(source), limits_(limits), writer_(std::make_unique<ChunkWriter>(store, space)) {}

  // Three blocks on their way at once: one arrives, one is cut and hashed, one is written.
  Task<Result<UploadedContent>> run() {
    Block arriving;
    CO_CHECK(co_await fill(arriving));
    Block cutting;
    Block writing;
    bool is_last = false;
    while (!is_last) {
      is_last = arriving.size < block_size;
      std::swap(cutting, writing);
      std::swap(arriving, cutting);
      if (is_last) {
        CO_CHECK(co_await write(writing));
        co_await cut(cutting, true);
        CO_CHECK(co_await write(cutting));
      } else {
        auto ahead = core::both(cut(cutting, false), fill(arriving));
        auto [written, others] = co_await core::both(write(writing), std::move(ahead));
        CO_CHECK(written);
        CO_CHECK(others.second);
      }
    }
    co_return co_await finish();
  }

 private:
  // Fills the block from the source; less than a whole block only at the end.
  Task<Result<>> fill(Block& block) {
    block.size = 0;
    if (limits_.is_revoked && limits_.is_revoked()) {
      co_return Error(Errc::token_invalid, "The session was ended while the upload was running.");
    }
    while (block.size < block_size) {
      if (rest_.empty()) {
        CO_TRY(rest_, co_await source_());
        if (rest_.empty()) break;
        received_ += static_cast<std::int64_t>(rest_.size());
        if (received_ > limits_.max_size) {
          co_return Error(Errc::file_too_large,
                          "A file of this plan has at most " + std::to_string(limits_.max_size) + " bytes.");
        }
      }
      const std::size_t count = std::min(rest_.size(), block_size - block.size);
      if (block.bytes.size() < block.size + count) {
        block.bytes.resize(std::min(block_size, std::max(block.size + count, 2 * block.bytes.size())));
      }
      std::memcpy(block.bytes.data() + block.size, rest_.data(), count);
      block.size += count;
      rest_ = rest_.subspan(count);
    }
    co_return Result<>();
  }

  // Finds where chunks end, and what they are called.
  Task<bool> cut(Block& block, bool is_last) {
    auto cutting = [&] {
      block.ends.clear();
      for (std::size_t at = 0; at < block.size;) {
        bool ends = false;
        const core::ByteView piece = block.view().subspan(at).first(chunker_.next(block.view().subspan(at), ends));
        hasher_.update(piece);
        at += piece.size();
        chunk_size_ += static_cast<std::uint32_t>(piece.size());
        if (ends) end_chunk(block, at);
      }
      if (is_last && chunk_size_ > 0) end_chunk(block, block.size);
      return true;
    };
    if (block.size <= hash_inline) co_return cutting();
    co_return co_await core::blocking(store_.pool(), cutting);
  }

  void end_chunk(Block& block, std::size_t at) {
    const auto name = content::make_chunk_name(hasher_.finish_part());
    block.ends.push_back({at, name, chunk_size_});
    chunks_.push_back({name, std::exchange(chunk_size_, 0)});
  }

  Task<Result<>> write(Block& block) {
    co_await writer_->append(block.view(), block.ends);
    if (writer_->unrecorded() >= record_every) CO_CHECK(co_await writer_->record());
    block.size = 0;
    block.ends.clear();
    co_return Result<>();
  }

  Task<Result<UploadedContent>> finish() {
    UploadedContent out;
    NewContent& content = out.content;
    content.size = received_;
    content.sha256 = hasher_.finish_whole();
    content.verified = true;
    content.content_id = content::content_id(chunks_);
    std::vector<content::ManifestNode> nodes;
    content.manifest = content::make_manifest(chunks_, nodes);
    for (const auto& node : nodes) {
      co_await writer_->append_chunk(node.ref.name, node.bytes);
      content.node_chunks.push_back(node.ref.name);
    }
    if (writer_->is_small()) {
      content.along = writer_->small_chunks();
    } else {
      CO_CHECK(co_await writer_->record());
    }
    content.chunks = std::move(chunks_);
    out.writer = std::move(writer_);
    co_return out;
  }

  ChunkStore& store_;
  const PieceSource& source_;
  const UploadLimits& limits_;
  std::unique_ptr<ChunkWriter> writer_;
  core::ByteView rest_;
  std::int64_t received_ = 0;
  content::Chunker chunker_;
  content::PartHasher hasher_;
  std::uint32_t chunk_size_ = 0;
  std::vector<content::ChunkRef> chunks_;
};

}  // namespace

Task<Result<UploadedContent>> receive_content(ChunkStore& store, SpaceId space, const PieceSource& source,
                                              const UploadLimits& limits) {
  Receiver receiver(store, space, source, limits);
  co_return co_await receiver.run();
}

}  // namespace clouddocs::storage
