// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/sha256.hpp"

#include <gtest/gtest.h>

#include "content/chunk.hpp"
#include "core/encoding.hpp"

namespace clouddocs::content {
namespace {

constexpr auto of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr auto of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, MatchesTheVectorsOfTheStandard) {
  EXPECT_EQ(core::to_hex(sha256({})), of_nothing);
  EXPECT_EQ(core::to_hex(sha256(core::as_bytes("abc"))), of_abc);
}

TEST(Sha256, HasherTakesPiecesAndStartsAnewAfterFinish) {
  Sha256Hasher hasher;
  hasher.update(core::as_bytes("a"));
  hasher.update({});
  hasher.update(core::as_bytes("bc"));
  EXPECT_EQ(core::to_hex(hasher.finish()), of_abc);
  EXPECT_EQ(core::to_hex(hasher.finish()), of_nothing);
}

TEST(ChunkName, TextFormGoesBothWays) {
  const auto name = name_of(core::as_bytes("abc"));
  EXPECT_EQ(name.bytes[0], std::byte{1});
  EXPECT_EQ(to_text(name).size(), 44U);
  EXPECT_EQ(parse_chunk_name(to_text(name)), name);
}

TEST(ChunkName, RefusesOtherFormatsAndLengths) {
  EXPECT_FALSE(parse_chunk_name(""));
  EXPECT_FALSE(parse_chunk_name(std::string(44, 'A')));  // format byte 0
  EXPECT_FALSE(parse_chunk_name(to_text(name_of({})) + "A"));
}

}  // namespace
}  // namespace clouddocs::content
