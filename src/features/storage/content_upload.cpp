// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/content_upload.hpp"

#include "content/chunker.hpp"
#include "content/sha256.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;

constexpr std::size_t block_size = 512U << 10;
constexpr std::size_t hash_inline = 32U << 10;  // cheaper to hash on the spot than to hand over

struct Block {
  core::Bytes bytes;  // grows with what arrives, up to block_size: a small file costs a small buffer
  std::size_t size = 0;
  core::ByteView view() const { return core::ByteView(bytes).first(size); }
};

// A piece of a block that belongs to one chunk.
struct Cut {
  std::size_t size = 0;
  bool ends = false;
  content::ChunkName name;  // when it ends
  std::uint32_t chunk_size = 0;
};

class Receiver {
 public:
  Receiver(ChunkStore& store, SpaceId space, const PieceSource& source, const UploadLimits& limits)
      : store_(store), source_(source), limits_(limits), writer_(std::make_unique<ChunkWriter>(store, space)) {}

  Task<Result<UploadedContent>> run() {
    Block filling;
    CO_CHECK(co_await fill(filling));
    if (filling.size < block_size) {  // the whole content
      CO_CHECK(co_await process(filling, true));
      co_return co_await finish();
    }
    Block full;
    while (filling.size > 0) {
      std::swap(full, filling);
      auto [received, processed] = co_await core::both(fill(filling), process(full, false));
      CO_CHECK(received);
      CO_CHECK(processed);
    }
    CO_CHECK(co_await process(filling, true));
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

  std::vector<Cut> cut(core::ByteView bytes, bool last) {
    std::vector<Cut> cuts;
    while (!bytes.empty()) {
      Cut piece;
      piece.size = chunker_.next(bytes, piece.ends);
      chunk_hasher_.update(bytes.first(piece.size));
      chunk_size_ += static_cast<std::uint32_t>(piece.size);
      bytes = bytes.subspan(piece.size);
      if (last && bytes.empty()) piece.ends = true;
      if (piece.ends) end_chunk(piece);
      cuts.push_back(piece);
    }
    if (last && cuts.empty() && chunk_size_ > 0) {
      Cut piece;
      piece.ends = true;
      end_chunk(piece);
      cuts.push_back(piece);
    }
    return cuts;
  }

  void end_chunk(Cut& piece) {
    piece.name = content::make_chunk_name(chunk_hasher_.finish());
    piece.chunk_size = std::exchange(chunk_size_, 0);
  }

  Task<Result<>> process(Block& block, bool last) {
    std::vector<Cut> cuts;
    auto cutting = [&] { return cut(block.view(), last); };
    if (block.size <= hash_inline) {
      cuts = cutting();
      whole_.update(block.view());
    } else {
      auto hashing = [&] {
        whole_.update(block.view());
        return true;
      };
      auto [made, hashed] =
          co_await core::both(core::blocking(store_.pool(), cutting), core::blocking(store_.pool(), hashing));
      cuts = std::move(made);
    }
    std::size_t at = 0;
    for (const Cut& piece : cuts) {
      if (piece.size > 0) co_await writer_->append(block.view().subspan(at, piece.size));
      at += piece.size;
      if (!piece.ends) continue;
      co_await writer_->end_chunk(piece.name, piece.chunk_size);
      chunks_.push_back({piece.name, piece.chunk_size});
      if (writer_->unrecorded() > 0) CO_CHECK(co_await writer_->record());
    }
    co_return Result<>();
  }

  Task<Result<UploadedContent>> finish() {
    UploadedContent out;
    NewContent& content = out.content;
    content.size = received_;
    content.sha256 = whole_.finish();
    content.verified = true;
    content.content_id = content::content_id(chunks_);
    std::vector<content::ManifestNode> nodes;
    content.manifest = content::make_manifest(chunks_, nodes);
    for (const auto& node : nodes) {
      co_await writer_->append(node.bytes);
      co_await writer_->end_chunk(node.ref.name, static_cast<std::uint32_t>(node.bytes.size()));
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
  content::Sha256Hasher chunk_hasher_;
  content::Sha256Hasher whole_;
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
