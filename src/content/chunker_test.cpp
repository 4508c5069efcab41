// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/chunker.hpp"

#include <gtest/gtest.h>

#include <random>
#include <unordered_set>

#include "content/chunk.hpp"
#include "content/pseudo_random.hpp"

namespace clouddocs::content {
namespace {

constexpr ChunkerLimits small_limits{.min = 256, .average = 1024, .max = 8192};

// Sizes of the chunks when the content is handed over in pieces whose sizes `piece` tells.
template <class Piece>
std::vector<std::size_t> cut(core::ByteView content, const ChunkerLimits& limits, Piece piece) {
  Chunker chunker(limits);
  std::vector<std::size_t> sizes;
  std::size_t current = 0;
  while (!content.empty()) {
    auto part = content.first(std::min<std::size_t>(content.size(), piece()));
    content = content.subspan(part.size());
    while (!part.empty()) {
      bool boundary = false;
      const auto taken = chunker.next(part, boundary);
      EXPECT_GT(taken, 0U);
      current += taken;
      part = part.subspan(taken);
      if (boundary) sizes.push_back(std::exchange(current, 0));
    }
  }
  if (current > 0) sizes.push_back(current);
  return sizes;
}
std::vector<std::size_t> cut(core::ByteView content, const ChunkerLimits& limits = standard_limits) {
  return cut(content, limits, [&] { return content.size(); });
}

std::unordered_set<ChunkName> names(core::ByteView content) {
  std::unordered_set<ChunkName> out;
  for (const auto size : cut(content, small_limits)) {
    out.insert(name_of(content.first(size)));
    content = content.subspan(size);
  }
  return out;
}

// Made by an independent implementation. If this fails, devices and servers of different versions no longer share chunks.
TEST(Chunker, BoundariesAreTheGoldenOnes) {
  const auto content = pseudo_random_bytes(42, 12U << 20);
  const std::vector<std::size_t> golden{644085, 1008631, 533788, 338627, 581768, 781980, 593568, 690161, 802340, 914203,
                                        564363, 725491,  708955, 648847, 546797, 747262, 748718, 647785, 355543};
  EXPECT_EQ(cut(content), golden);
}

TEST(Chunker, BoundariesDoNotDependOnThePieces) {
  const auto content = pseudo_random_bytes(7, 300'000);
  const auto whole = cut(content, small_limits);
  EXPECT_EQ(cut(content, small_limits, [] { return 1U; }), whole);
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    EXPECT_EQ(cut(content, small_limits, [&] { return random() % 3000 + 1; }), whole) << "seed " << seed;
  }
}

TEST(Chunker, SizesStayWithinTheLimits) {
  auto content = pseudo_random_bytes(3, 500'000);
  content.resize(700'000);  // a run of zeros never matches by chance: cut at the maximum
  const auto sizes = cut(content, small_limits);
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    EXPECT_GE(sizes[i], small_limits.min);
    EXPECT_LE(sizes[i], small_limits.max);
  }
}

TEST(Chunker, AverageIsNearTheAskedOne) {
  const auto content = pseudo_random_bytes(5, 24U << 20);
  const auto average = content.size() / cut(content).size();
  EXPECT_GT(average, standard_limits.average * 3 / 4);
  EXPECT_LT(average,
            standard_limits.average * 3 / 2);  // the minimum is half the average: chunks come out some 20 % longer
}

TEST(Chunker, InsertionChangesFewChunks) {
  const auto content = pseudo_random_bytes(9, 400'000);
  const auto before = names(content);
  ASSERT_GT(before.size(), 150U);
  for (const std::size_t at : {std::size_t{0}, content.size() / 2, content.size()}) {
    auto changed = content;
    const auto inserted = pseudo_random_bytes(at + 1, 100);
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(at), inserted.begin(), inserted.end());
    std::size_t fresh = 0;
    for (const auto& name : names(changed)) fresh += before.contains(name) ? 0 : 1;
    EXPECT_LE(fresh, 8U) << "at " << at;
  }
}

TEST(Chunker, ContentShorterThanTheMinimumIsOneChunk) {
  EXPECT_EQ(cut(pseudo_random_bytes(1, 1000)), std::vector<std::size_t>{1000});
  EXPECT_TRUE(cut({}).empty());
}

}  // namespace
}  // namespace clouddocs::content
