// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/verified_tokens.hpp"

#include <gtest/gtest.h>

#include "testing/fake_clock.hpp"

namespace clouddocs::auth {
namespace {

TEST(VerifiedTokens, FindsATokenByAllOfItsBytes) {
  const testing::FakeClock clock;
  VerifiedTokens tokens;
  Claims claims;
  claims.epoch = 7;
  claims.expires_at = clock.now() + std::chrono::minutes(1);
  tokens.add("header.payload.signature", claims, clock.now());
  EXPECT_EQ(tokens.find("header.payload.signature")->epoch, 7);
  for (const std::string_view other : {"", "header.payload.signaturE", "header.payload.signatur", "header.payload."})
    EXPECT_FALSE(tokens.find(other)) << other;
}

TEST(VerifiedTokens, KeepsALimitedNumber) {
  testing::FakeClock clock;
  VerifiedTokens tokens;
  for (std::size_t i = 0; i < VerifiedTokens::limit * 3; ++i) {
    Claims claims;
    claims.expires_at = clock.now() + std::chrono::minutes(1);
    const std::string token = "token " + std::to_string(i);
    tokens.add(token, claims, clock.now());
    ASSERT_TRUE(tokens.find(token));
    if (i % 5'000 == 0) EXPECT_LE(tokens.size(), VerifiedTokens::limit);
  }
  EXPECT_LE(tokens.size(), VerifiedTokens::limit);
}

TEST(VerifiedTokens, MakesRoomByDroppingWhatHasExpired) {
  testing::FakeClock clock;
  VerifiedTokens tokens;
  const auto add = [&](const std::string& token, std::chrono::minutes lifetime) {
    Claims claims;
    claims.expires_at = clock.now() + lifetime;
    tokens.add(token, claims, clock.now());
  };
  add("long", std::chrono::minutes(60));
  for (std::size_t i = 0; i < VerifiedTokens::limit / 2; ++i)
    add("short " + std::to_string(i), std::chrono::minutes(1));
  clock.advance(std::chrono::minutes(2));
  for (std::size_t i = 0; i < VerifiedTokens::limit / 2; ++i)
    add("later " + std::to_string(i), std::chrono::minutes(1));
  EXPECT_TRUE(tokens.find("long"));
}

}  // namespace
}  // namespace clouddocs::auth
