// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>

#include "core/bytes.hpp"

namespace clouddocs::content {

// For tests and benchmarks: the same bytes on every machine for a seed (SplitMix64, little-endian).
inline core::Bytes pseudo_random_bytes(std::uint64_t seed, std::size_t size) {
  core::Bytes out;
  out.reserve(size + 8);
  while (out.size() < size) {
    std::uint64_t z = (seed += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    core::append_little_endian(out, z ^ (z >> 31));
  }
  out.resize(size);
  return out;
}

}  // namespace clouddocs::content
