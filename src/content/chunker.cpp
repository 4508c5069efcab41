// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/chunker.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "content/sha256.hpp"

namespace clouddocs::content {
namespace {

using Gear = std::array<std::uint64_t, 256>;

// gear[b] = the first eight bytes, little-endian, of the SHA-256 of the single byte b: random enough, and nothing to trust.
Gear make_gear() {
  Gear gear{};
  for (unsigned b = 0; b < gear.size(); ++b) {
    const std::byte input{static_cast<unsigned char>(b)};
    gear[b] = core::load_little_endian<std::uint64_t>(sha256(core::ByteView(&input, 1)).data());
  }
  return gear;
}

const Gear& gear() {
  static const Gear table = make_gear();
  return table;
}

// The top bits: the top bit of the fingerprint depends on the last 64 bytes, so these see the widest window.
std::uint64_t top_bits(int count) { return ~std::uint64_t{0} << (64 - count); }

// Rolls over bytes until the masked fingerprint is zero. Returns the number of bytes taken, the one that matched included; `found` tells
// whether one did.
std::size_t roll(core::ByteView bytes, std::uint64_t mask, std::uint64_t& fingerprint, bool& found) {
  const Gear& table = gear();
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const begin = at;
  const auto* const end = at + bytes.size();
  std::uint64_t value = fingerprint;
  found = true;
  const auto taken = [&](int count, std::uint64_t now) {
    fingerprint = now;
    return static_cast<std::size_t>(at - begin + count);
  };
  // Four bytes at a time, each pair from the value before it in one step: what limits the speed is how long a value waits for the one before.
  while (end - at >= 4) {
    const std::uint64_t one = (value << 1) + table[at[0]];
    const std::uint64_t two = (value << 2) + ((table[at[0]] << 1) + table[at[1]]);
    const std::uint64_t three = (two << 1) + table[at[2]];
    const std::uint64_t four = (two << 2) + ((table[at[2]] << 1) + table[at[3]]);
    if ((one & mask) == 0) return taken(1, one);
    if ((two & mask) == 0) return taken(2, two);
    if ((three & mask) == 0) return taken(3, three);
    if ((four & mask) == 0) return taken(4, four);
    value = four;
    at += 4;
  }
  for (; at != end; ++at) {
    value = (value << 1) + table[*at];
    if ((value & mask) == 0) return taken(1, value);
  }
  found = false;
  return taken(0, value);
}

}  // namespace

// Normalised chunking, level 2: below the average a boundary is 4 times less likely than 1/average, beyond it 4 times likelier.
Chunker::Chunker(const ChunkerLimits& limits)
    : limits_(limits),
      mask_small_(top_bits(std::bit_width(limits.average) - 1 + 2)),
      mask_large_(top_bits(std::bit_width(limits.average) - 1 - 2)) {}

std::size_t Chunker::next(core::ByteView bytes, bool& boundary) {
  boundary = false;
  std::size_t taken = 0;
  // Takes up to the length `end` of the chunk, rolling if a mask is given.
  auto advance = [&](std::uint32_t end, const std::uint64_t* mask) {
    if (boundary || length_ >= end) return;
    auto piece = bytes.subspan(taken, std::min<std::size_t>(bytes.size() - taken, end - length_));
    const std::size_t count = mask == nullptr ? piece.size() : roll(piece, *mask, fingerprint_, boundary);
    taken += count;
    length_ += static_cast<std::uint32_t>(count);
  };
  advance(limits_.min, nullptr);  // no boundary can lie here: not even looked at
  advance(limits_.average, &mask_small_);
  advance(limits_.max, &mask_large_);
  boundary = boundary || length_ >= limits_.max;
  if (boundary) {
    fingerprint_ = 0;
    length_ = 0;
  }
  return taken;
}

}  // namespace clouddocs::content
