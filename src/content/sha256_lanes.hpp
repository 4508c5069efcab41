// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace clouddocs::content {

inline constexpr std::size_t sha256_block = 64;

// The eight working words of SHA-256 and their first values (FIPS 180-4, 5.3.3).
using Sha256Words = std::array<std::uint32_t, 8>;
inline constexpr Sha256Words sha256_initial{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// Whether the functions below may be called on this processor.
bool has_sha256_instructions();
// Takes whole blocks into the words.
void compress_lane(Sha256Words& words, const std::byte* data, std::size_t blocks);
// Takes as many blocks into each of two hashes, in turns: an instruction that waits for the one before leaves room for the other hash's.
void compress_two_lanes(Sha256Words& a, const std::byte* data_a, Sha256Words& b, const std::byte* data_b,
                        std::size_t blocks);

}  // namespace clouddocs::content
