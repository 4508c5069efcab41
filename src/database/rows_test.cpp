// SPDX-License-Identifier: AGPL-3.0-or-later
#include <gtest/gtest.h>

#include "database/database.hpp"

namespace clouddocs::database {
namespace {

TEST(Rows, HoldsCellsRowByRow) {
  Rows rows(2);
  rows.add_int64(7);
  rows.add_bytes(core::as_bytes("seven"));
  rows.add_null();
  rows.add_bytes({});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].int64(0), 7);
  EXPECT_EQ(rows[0].text(1), "seven");
  EXPECT_TRUE(rows[1].is_null(0));
  EXPECT_FALSE(rows[1].is_null(1));
  EXPECT_EQ(rows[1].optional_text(1), "");
  EXPECT_EQ(rows[1].optional_int64(0), std::nullopt);
}

TEST(Rows, WithoutColumnsIsEmpty) {
  const Rows rows;
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(rows.size(), 0U);
}

}  // namespace
}  // namespace clouddocs::database
