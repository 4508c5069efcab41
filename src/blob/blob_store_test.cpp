// SPDX-License-Identifier: AGPL-3.0-or-later
#include "blob/blob_store.hpp"

#include <gtest/gtest.h>

namespace clouddocs::blob {
namespace {

TEST(ObjectName, AllowsWhatEveryStoreCanHold) {
  for (const auto* name : {"a", "0", "segments/0190-af.v1_x", "a/b/c"}) EXPECT_TRUE(is_object_name(name)) << name;
  EXPECT_TRUE(is_object_name(std::string(200, 'a')));
}

TEST(ObjectName, RefusesWhatCouldLeaveTheStore) {
  for (const auto* name : {"", ".", "..", "a/../b", "a..b", "/a", "-a", "A", "a b", "a\\b", "\xC3\xA4"}) {
    EXPECT_FALSE(is_object_name(name)) << name;
  }
  EXPECT_FALSE(is_object_name(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_object_name(std::string(201, 'a')));
  EXPECT_THROW(check_object_name("../etc"), std::invalid_argument);
}

}  // namespace
}  // namespace clouddocs::blob
