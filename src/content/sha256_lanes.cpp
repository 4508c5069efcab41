// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/sha256_lanes.hpp"

#include <stdexcept>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace clouddocs::content {

#if defined(__x86_64__)

namespace {

#define CLOUDDOCS_SHA __attribute__((target("sha,sse4.1")))

// The constants of FIPS 180-4, 4.2.2.
alignas(16) constexpr std::array<std::uint32_t, 64> round_constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The words as the instructions want them: a, b, e, f and c, d, g, h, the first in the highest place.
struct Registers {
  __m128i abef;
  __m128i cdgh;
};

CLOUDDOCS_SHA Registers load(const Sha256Words& words) {
  const __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(words.data())), 0xB1);
  const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(words.data() + 4)), 0x1B);
  return {_mm_alignr_epi8(abcd, efgh, 8), _mm_blend_epi16(efgh, abcd, 0xF0)};
}

CLOUDDOCS_SHA void store(Sha256Words& words, const Registers& registers) {
  const __m128i feba = _mm_shuffle_epi32(registers.abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(registers.cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words.data()), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}

// Four rounds of one hash. Message words 4 * group ... are in message[group % 4]; those of the next groups are prepared beside the rounds.
template <int Group>
CLOUDDOCS_SHA __attribute__((always_inline)) inline void four_rounds(Registers& state, __m128i (&message)[4],
                                                                     const std::byte* data) {
  __m128i& now = message[Group % 4];
  if constexpr (Group < 4) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    now = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(data) + Group), big_endian);
  }
  const auto* constants = reinterpret_cast<const __m128i*>(round_constants.data()) + Group;
  const __m128i sum = _mm_add_epi32(now, _mm_load_si128(constants));
  state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, sum);
  if constexpr (Group >= 3 && Group < 15) {
    __m128i& next = message[(Group + 1) % 4];
    next = _mm_add_epi32(next, _mm_alignr_epi8(now, message[(Group + 3) % 4], 4));
    next = _mm_sha256msg2_epu32(next, now);
  }
  state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(sum, 0x0E));
  if constexpr (Group >= 1 && Group < 13) {
    __m128i& before = message[(Group + 3) % 4];
    before = _mm_sha256msg1_epu32(before, now);
  }
}

template <int Lanes>
CLOUDDOCS_SHA void compress(Sha256Words* const (&words)[Lanes], const std::byte* (&&data)[Lanes], std::size_t blocks) {
  Registers state[Lanes];
  for (int i = 0; i < Lanes; ++i) state[i] = load(*words[i]);
  for (; blocks > 0; --blocks) {
    Registers before[Lanes];
    __m128i message[Lanes][4];
    for (int i = 0; i < Lanes; ++i) before[i] = state[i];
#define CLOUDDOCS_GROUP(n) \
  for (int i = 0; i < Lanes; ++i) four_rounds<n>(state[i], message[i], data[i])
    CLOUDDOCS_GROUP(0);
    CLOUDDOCS_GROUP(1);
    CLOUDDOCS_GROUP(2);
    CLOUDDOCS_GROUP(3);
    CLOUDDOCS_GROUP(4);
    CLOUDDOCS_GROUP(5);
    CLOUDDOCS_GROUP(6);
    CLOUDDOCS_GROUP(7);
    CLOUDDOCS_GROUP(8);
    CLOUDDOCS_GROUP(9);
    CLOUDDOCS_GROUP(10);
    CLOUDDOCS_GROUP(11);
    CLOUDDOCS_GROUP(12);
    CLOUDDOCS_GROUP(13);
    CLOUDDOCS_GROUP(14);
    CLOUDDOCS_GROUP(15);
#undef CLOUDDOCS_GROUP
    for (int i = 0; i < Lanes; ++i) {
      state[i].abef = _mm_add_epi32(state[i].abef, before[i].abef);
      state[i].cdgh = _mm_add_epi32(state[i].cdgh, before[i].cdgh);
      data[i] += sha256_block;
    }
  }
  for (int i = 0; i < Lanes; ++i) store(*words[i], state[i]);
}

}  // namespace

bool has_sha256_instructions() {
  static const bool has = [] {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
  }();
  return has;
}

void compress_lane(Sha256Words& words, const std::byte* data, std::size_t blocks) {
  compress<1>({&words}, {data}, blocks);
}

void compress_two_lanes(Sha256Words& a, const std::byte* data_a, Sha256Words& b, const std::byte* data_b,
                        std::size_t blocks) {
  compress<2>({&a, &b}, {data_a, data_b}, blocks);
}

#else

bool has_sha256_instructions() { return false; }
void compress_lane(Sha256Words&, const std::byte*, std::size_t) { throw std::logic_error("no SHA instructions"); }
void compress_two_lanes(Sha256Words&, const std::byte*, Sha256Words&, const std::byte*, std::size_t) {
  throw std::logic_error("no SHA instructions");
}

#endif

}  // namespace clouddocs::content
