// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/part_hasher.hpp"

#include <algorithm>
#include <utility>

#include "content/sha256_lanes.hpp"

namespace clouddocs::content {
namespace {

// One hash computed with compress_lanes(): padding and length of FIPS 180-4, 5.1.1.
class Lane {
 public:
  // Takes bytes until a block boundary. Returns how many.
  std::size_t align(core::ByteView bytes) {
    if (buffered_ == 0) return 0;
    const std::size_t count = std::min(bytes.size(), buffer_.size() - buffered_);
    hold(bytes.first(count));
    if (buffered_ == buffer_.size()) {
      compress_lane(words_, buffer_.data(), 1);
      buffered_ = 0;
    }
    return count;
  }
  // Keeps less than a block for later.
  void hold(core::ByteView bytes) {
    std::copy(bytes.begin(), bytes.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(buffered_));
    buffered_ += bytes.size();
    total_ += bytes.size();
  }
  // The words that whoever compresses `blocks` blocks has to change.
  Sha256Words& take(std::size_t blocks) {
    total_ += blocks * sha256_block;
    return words_;
  }
  void update(core::ByteView bytes) {
    bytes = bytes.subspan(align(bytes));
    const std::size_t blocks = bytes.size() / sha256_block;
    compress_lane(take(blocks), bytes.data(), blocks);
    hold(bytes.subspan(blocks * sha256_block));
  }
  Sha256 finish() {
    const std::uint64_t bits = total_ * 8;
    const std::size_t padding = (buffered_ < 56 ? 56 : 120) - buffered_;
    std::array<std::byte, 128> tail{std::byte{0x80}};
    for (std::size_t i = 0; i < 8; ++i) tail[padding + i] = static_cast<std::byte>(bits >> (56 - 8 * i));
    update(core::ByteView(tail).first(padding + 8));
    Sha256 out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(words_[i / 4] >> (24 - 8 * (i % 4)));
    *this = Lane();
    return out;
  }

 private:
  Sha256Words words_ = sha256_initial;
  std::array<std::byte, sha256_block> buffer_{};
  std::size_t buffered_ = 0;
  std::uint64_t total_ = 0;
};

void update_both(Lane& a, Lane& b, core::ByteView bytes) {
  const core::ByteView rest_a = bytes.subspan(a.align(bytes));
  const core::ByteView rest_b = bytes.subspan(b.align(bytes));
  const std::size_t blocks = std::min(rest_a.size(), rest_b.size()) / sha256_block;
  compress_two_lanes(a.take(blocks), rest_a.data(), b.take(blocks), rest_b.data(), blocks);
  a.update(rest_a.subspan(blocks * sha256_block));
  b.update(rest_b.subspan(blocks * sha256_block));
}

}  // namespace

struct PartHasher::State {
  explicit State(bool interleave) : interleaved(interleave) {}
  const bool interleaved;
  bool first_part = true;  // the whole is what `part` has seen
  Lane part;
  Lane whole;
  Sha256Hasher plain_part;
  Sha256Hasher plain_whole;
};

PartHasher::PartHasher(bool interleave) : state_(std::make_unique<State>(interleave && can_interleave())) {}
PartHasher::~PartHasher() = default;
PartHasher::PartHasher(PartHasher&&) noexcept = default;
PartHasher& PartHasher::operator=(PartHasher&&) noexcept = default;

bool PartHasher::can_interleave() { return has_sha256_instructions(); }

void PartHasher::update(core::ByteView bytes) {
  State& state = *state_;
  if (!state.interleaved) {
    state.plain_part.update(bytes);
    state.plain_whole.update(bytes);
  } else if (state.first_part) {
    state.part.update(bytes);
  } else {
    update_both(state.part, state.whole, bytes);
  }
}

Sha256 PartHasher::finish_part() {
  State& state = *state_;
  if (!state.interleaved) return state.plain_part.finish();
  if (std::exchange(state.first_part, false)) state.whole = state.part;
  return state.part.finish();
}

Sha256 PartHasher::finish_whole() {
  State& state = *state_;
  if (!state.interleaved) {
    state.plain_part.finish();
    return state.plain_whole.finish();
  }
  Lane ended = std::exchange(state.first_part, true) ? state.part : state.whole;
  state.part = Lane();
  return ended.finish();
}

}  // namespace clouddocs::content
