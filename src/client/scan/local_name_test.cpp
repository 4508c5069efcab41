// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/scan/local_name.hpp"

#include <gtest/gtest.h>

#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

TEST(LocalName, OrdinaryNamesStayAsTheyAre) {
  EXPECT_EQ(to_local_name("report.txt", false), "report.txt");
  EXPECT_EQ(to_remote_name("report.txt"), "report.txt");
}

TEST(LocalName, DecomposedNamesAreComposedForTheServer) {
  EXPECT_EQ(to_remote_name("Caf" "e\xCC\x81"), "Caf\xC3\xA9");
  EXPECT_EQ(to_remote_name("bad\xFF"), std::nullopt);
}

TEST(LocalName, TooLongNamesAreShortenedWithAMark) {
  const std::string first = std::string(300, 'a') + "1.txt";
  const std::string second = std::string(300, 'a') + "2.txt";
  const auto local = to_local_name(first, false);
  EXPECT_LE(local.size(), 255U);
  EXPECT_TRUE(local.ends_with(".txt"));
  EXPECT_NE(local, to_local_name(second, false));
  std::string wide;
  while (wide.size() < 300) wide += "\xC3\xA9";
  EXPECT_TRUE(core::is_utf8(to_local_name(wide, false)));
}

TEST(LocalName, NamesOfTheClientItselfAreEscaped) {
  EXPECT_TRUE(is_own_name(".clouddocs"));
  EXPECT_FALSE(is_own_name(".clouddocsignore"));
  EXPECT_FALSE(is_own_name(to_local_name(".clouddocs", false)));
  EXPECT_FALSE(is_own_name(to_local_name(".clouddocs-tmp-x", false)));
}

TEST(LocalName, TakenNamesGetAMarkBeforeTheExtension) {
  const auto local = to_local_name("xt_MARK.h", true);
  EXPECT_TRUE(local.starts_with("xt_MARK~"));
  EXPECT_TRUE(local.ends_with(".h"));
}

}  // namespace
}  // namespace clouddocs::client
