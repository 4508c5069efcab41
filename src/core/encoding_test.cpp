// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/encoding.hpp"

#include <gtest/gtest.h>

namespace clouddocs::core {
namespace {

TEST(Encoding, Base64MatchesTheVectorsOfRfc4648) {
  EXPECT_EQ(to_base64(as_bytes("")), "");
  EXPECT_EQ(to_base64(as_bytes("f")), "Zg==");
  EXPECT_EQ(to_base64(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(to_base64(as_bytes("foo")), "Zm9v");
  EXPECT_EQ(to_base64(as_bytes("foob")), "Zm9vYg==");
  EXPECT_EQ(to_base64url(as_bytes("foobar")), "Zm9vYmFy");
}

TEST(Encoding, Base64UrlComesBackForEveryLength) {
  Bytes bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    bytes.push_back(static_cast<std::byte>(i * 37));
  }
}

TEST(Encoding, Base64UrlRefusesStrayBitsPaddingAndOtherAlphabets) {
  EXPECT_FALSE(from_base64url("Zh"));  // the low bits of the last character are not zero
  EXPECT_FALSE(from_base64url("Zg=="));
  EXPECT_FALSE(from_base64url("Z+/v"));
  EXPECT_FALSE(from_base64url("A"));
}

TEST(Encoding, HexComesBackAndRefusesOddLengths) {
  EXPECT_EQ(to_hex(as_bytes("\x01\xff")), "01ff");
  EXPECT_EQ(from_hex("01FF"), to_bytes("\x01\xff"));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

TEST(Encoding, AppendingLeavesWhatIsThere) {
  std::string text = "hex ";
  append_hex(text, as_bytes("\x01\xff"));
  text += " base64 ";
  append_base64url(text, as_bytes("foob"));
  EXPECT_EQ(text, "hex 01ff base64 Zm9vYg");
}

TEST(Encoding, PercentDecodingRefusesBrokenEscapes) {
  EXPECT_EQ(percent_decode("a%20b+c"), "a b+c");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_FALSE(percent_decode("%2"));
  EXPECT_FALSE(percent_decode("%zz"));
  EXPECT_EQ(percent_encode("a b/ü"), "a%20b%2F%C3%BC");
}

TEST(Encoding, Utf8IsCheckedStrictly) {
  EXPECT_TRUE(is_utf8("plain, Привет, 你好, \xF0\x9F\x98\x80"));
  EXPECT_FALSE(is_utf8("\xC0\x80"));          // overlong
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(is_utf8("\xE2\x82"));          // cut off
  EXPECT_FALSE(is_utf8("\x80"));
}

TEST(Encoding, ConstantTimeComparisonIsStillAComparison) {
  EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
}

}  // namespace
}  // namespace clouddocs::core
