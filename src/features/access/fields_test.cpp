// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/access/fields.hpp"

#include <gtest/gtest.h>

namespace clouddocs::access {
namespace {

using boost::json::array;
using boost::json::object;
using core::Errc;

template <class T>
void expect_refused(const core::Result<T>& result, std::string_view member, Errc code = Errc::invalid_request) {
  ASSERT_TRUE(result.has_error()) << member;
  EXPECT_EQ(result.error().code, code) << member;
  EXPECT_NE(result.error().detail.find(member), std::string::npos) << result.error().detail;
}

TEST(Fields, ReadWhatIsThere) {
  const core::FileId id{};
  const object value{{"text", "a"},
                     {"number", -5},
                     {"flag", true},
                     {"file", core::to_text(id)},
                     {"space", core::to_text(id.space)},
                     {"list", array{1, 2}}};
  const Fields fields(value);
  EXPECT_EQ(fields.text("text").value(), "a");
  EXPECT_EQ(fields.integer("number").value(), -5);
  EXPECT_EQ(fields.optional_boolean("flag").value(), true);
  EXPECT_EQ(fields.file_id("file").value(), id);
  EXPECT_EQ(fields.space_id("space").value(), id.space);
  EXPECT_EQ(fields.array("list", 2).value()->size(), 2U);
}

TEST(Fields, MissingAndNullAreTheSame) {
  const object value{{"null", nullptr}};
  const Fields fields(value);
  for (const std::string name : {"null", "absent"}) {
    EXPECT_FALSE(fields.optional_text(name).value());
    EXPECT_FALSE(fields.optional_integer(name).value());
    EXPECT_FALSE(fields.optional_boolean(name).value());
    EXPECT_FALSE(fields.optional_file_id(name).value());
    expect_refused(fields.text(name), name);
    expect_refused(fields.integer(name), name);
    expect_refused(fields.file_id(name), name);
    expect_refused(fields.space_id(name), name);
    expect_refused(fields.array(name, 5), name);
  }
}

TEST(Fields, AnotherKindIsRefused) {
  const object value{
      {"text", "a"}, {"number", 5}, {"real", 1.5}, {"large", 18446744073709551615ULL}, {"list", array{1, 2, 3}}};
  const Fields fields(value);
  expect_refused(fields.text("number"), "number");
  expect_refused(fields.text("text", 0), "text");
  for (const std::string name : {"text", "real", "large", "list"}) expect_refused(fields.integer(name), name);
  expect_refused(fields.optional_boolean("number"), "number");
  expect_refused(fields.file_id("text"), "text", Errc::invalid_id);
  expect_refused(fields.space_id("text"), "text", Errc::invalid_id);
  expect_refused(fields.array("list", 2), "list");
  expect_refused(fields.array("text", 2), "text");
}

}  // namespace
}  // namespace clouddocs::access
