// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/error.hpp"

#include <gtest/gtest.h>

#include <set>

namespace clouddocs::core {
namespace {

TEST(Error, EveryCodeHasATextOfItsOwn) {
  std::set<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
    const auto text = to_code(static_cast<Errc>(i));
    EXPECT_TRUE(seen.insert(text).second) << text;
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << text;
  }
  EXPECT_EQ(to_code(Errc::name_taken), "name_taken");
  EXPECT_EQ(to_code(static_cast<Errc>(255)), "internal");
}

TEST(Error, TheValueOfAFailedResultThrowsTheError) {
  const Result<int> failed = Error(Errc::gone, "It is gone.");
  try {
    failed.value();
    FAIL();
  } catch (const ErrorException& thrown) {
    EXPECT_EQ(thrown.error.code, Errc::gone);
    EXPECT_STREQ(thrown.what(), "gone: It is gone.");
  }
}

TEST(Error, TryPassesTheErrorOn) {
  const auto fail = []() -> Result<int> { return Error(Errc::cycle, "x", "\"item\":null"); };
  const auto outer = [&]() -> Result<std::string> {
    TRY(const int value, fail());
    return std::to_string(value);
  };
  EXPECT_EQ(outer().error().extension, "\"item\":null");
  const auto check = [&]() -> Result<> {
    TRY_CHECK(fail());
    return {};
  };
  EXPECT_EQ(check().error().code, Errc::cycle);
}

}  // namespace
}  // namespace clouddocs::core
