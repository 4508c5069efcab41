// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/plan/conflict_name.hpp"

#include <gtest/gtest.h>

#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

const core::Timestamp day = core::from_micros(1'763'856'000'000'000);

TEST(ConflictName, NamesDeviceAndDayBeforeTheExtension) {
  EXPECT_EQ(conflict_name("report.txt", "laptop", day, 1), "report (conflict, laptop, 2025-11-23).txt");
  EXPECT_EQ(conflict_name("report.txt", "laptop", day, 2), "report (conflict, laptop, 2025-11-23, 2).txt");
}

TEST(ConflictName, HiddenFilesAndFoldersHaveNoExtension) {
  EXPECT_EQ(conflict_name(".profile", "pc", day, 1), ".profile (conflict, pc, 2025-11-23)");
  EXPECT_EQ(conflict_name("folder", "pc", day, 1), "folder (conflict, pc, 2025-11-23)");
}

TEST(ConflictName, StaysWithinTheLimitAndValid) {
  std::string stem;
  while (stem.size() < 250) stem += "\xC3\xA9";
  const auto name = conflict_name(stem + ".txt", "my/device", day, 1);
  EXPECT_LE(name.size(), 255U);
  EXPECT_TRUE(core::is_utf8(name));
  EXPECT_EQ(name.find('/'), std::string::npos);
}

}  // namespace
}  // namespace clouddocs::client
