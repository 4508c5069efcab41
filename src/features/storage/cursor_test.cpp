// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/cursor.hpp"

#include <gtest/gtest.h>

#include "testing/fake_clock.hpp"
#include "testing/seeded_random.hpp"

namespace clouddocs::storage {
namespace {

TEST(Cursor, TextIsReadBack) {
  const testing::FakeClock clock;
  testing::SeededRandom random;
  for (const std::int64_t seq : {std::int64_t{0}, std::int64_t{1}, std::numeric_limits<std::int64_t>::max()}) {
    const Cursor cursor{core::make_id<core::SpaceId>(clock, random), 7, seq};
    const auto text = to_text(cursor);
    EXPECT_EQ(text.size(), 38U);
    EXPECT_EQ(parse_cursor(text), cursor);
  }
}

TEST(Cursor, WhatIsNoCursorIsRefused) {
  const auto text = to_text(Cursor{{}, 1, 1});
  EXPECT_FALSE(parse_cursor(""));
  EXPECT_FALSE(parse_cursor("AAAA"));
  EXPECT_FALSE(parse_cursor(text + "A"));
  EXPECT_FALSE(parse_cursor(text.substr(1)));
  EXPECT_FALSE(parse_cursor("!" + text.substr(1)));
  EXPECT_FALSE(parse_cursor(to_text(Cursor{{}, 1, -1})));
}

}  // namespace
}  // namespace clouddocs::storage
