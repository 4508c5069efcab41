// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/ids.hpp"

#include <gtest/gtest.h>

namespace clouddocs::core {
namespace {

TEST(Ids, UuidV7CarriesTimeVersionAndVariant) {
  const auto uuid = make_uuid_v7(from_micros(0x0123456789ABLL * 1000), system_random());
  EXPECT_EQ(uuid[0], std::byte{0x01});
  EXPECT_EQ(uuid[5], std::byte{0xAB});
  EXPECT_EQ(uuid[6] & std::byte{0xF0}, std::byte{0x70});
  EXPECT_EQ(uuid[8] & std::byte{0xC0}, std::byte{0x80});
}

TEST(Ids, FileIdComesBackFromItsText) {
  const FileId id{make_id<SpaceId>(system_clock(), system_random()), make_id<NodeId>(system_clock(), system_random())};
  EXPECT_EQ(to_text(id).size(), 43U);
  EXPECT_EQ(parse_file_id(to_text(id)), id);
}

TEST(Ids, ForeignTextIsNoId) {
  EXPECT_FALSE(parse_file_id(""));
  EXPECT_FALSE(parse_file_id("../../etc/passwd"));
  EXPECT_FALSE(parse_id<UserId>(std::string(22, '!')));
  EXPECT_FALSE(parse_id<UserId>(std::string(23, 'A')));
}

}  // namespace
}  // namespace clouddocs::core
