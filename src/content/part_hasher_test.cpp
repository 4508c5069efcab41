// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/part_hasher.hpp"

#include <gtest/gtest.h>

#include "content/pseudo_random.hpp"

namespace clouddocs::content {
namespace {

// true: with the processor's SHA instructions; one that has none takes the plain way again.
using PartHasherTest = testing::TestWithParam<bool>;

TEST_P(PartHasherTest, NothingHasTheHashOfNothing) {
  PartHasher hasher(GetParam());
  EXPECT_EQ(hasher.finish_part(), sha256({}));
  EXPECT_EQ(hasher.finish_whole(), sha256({}));
}

// Every length up to some blocks, each as one part and followed by another.
TEST_P(PartHasherTest, EveryTailIsPadded) {
  const core::Bytes bytes = pseudo_random_bytes(1, 400);
  PartHasher hasher(GetParam());
  for (std::size_t size = 0; size <= 200; ++size) {
    const core::ByteView first = core::ByteView(bytes).first(size);
    const core::ByteView second = core::ByteView(bytes).subspan(size, 200 - size / 2);
    hasher.update(first);
    EXPECT_EQ(hasher.finish_part(), sha256(first)) << size;
    hasher.update(second);
    EXPECT_EQ(hasher.finish_part(), sha256(second)) << size;
    EXPECT_EQ(hasher.finish_whole(), sha256(core::ByteView(bytes).first(first.size() + second.size()))) << size;
  }
}

TEST_P(PartHasherTest, PiecesAndPartsOfAnySizeGiveTheHashesOfTheirBytes) {
  const core::Bytes lengths = pseudo_random_bytes(2, 4'000);
  PartHasher hasher(GetParam());
  std::size_t drawn = 0;
  const auto draw = [&](std::size_t below) {
    const auto value = core::load_little_endian<std::uint16_t>(&lengths[drawn]);
    drawn = (drawn + 2) % lengths.size();
    return value % below;
  };
  for (int round = 0; round < 200; ++round) {
    const core::Bytes bytes = pseudo_random_bytes(static_cast<std::uint64_t>(round), draw(20'000));
    core::Bytes part;
    for (core::ByteView rest = bytes; !rest.empty();) {
      const core::ByteView piece = rest.first(std::min(rest.size(), draw(3'000)));
      hasher.update(piece);
      part.insert(part.end(), piece.begin(), piece.end());
      rest = rest.subspan(piece.size());
      if (draw(3) == 0) EXPECT_EQ(hasher.finish_part(), sha256(std::exchange(part, {})));
    }
    EXPECT_EQ(hasher.finish_whole(), sha256(bytes));
  }
}

INSTANTIATE_TEST_SUITE_P(Both, PartHasherTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Interleaved" : "Plain"; });

}  // namespace
}  // namespace clouddocs::content
