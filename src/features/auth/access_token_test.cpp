// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/access_token.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/encoding.hpp"
#include "testing/fake_clock.hpp"
#include "testing/seeded_random.hpp"

namespace clouddocs::auth {
namespace {

using core::Errc;

class AccessTokenTest : public ::testing::Test {
 protected:
  static core::Bytes key(char c) { return core::Bytes(32, static_cast<std::byte>(c)); }
  Errc refusal(const std::string& token, const AccessTokens& with) {
    const auto verified = with.verify(token, clock_.now());
    EXPECT_TRUE(verified.has_error()) << token;
    return verified.has_error() ? verified.error().code : Errc::internal;
  }
  Errc refusal(const std::string& token) { return refusal(token, tokens_); }
  // The parts of a token, with one of them replaced.
  static std::array<std::string, 3> split(const std::string& token) {
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    return {token.substr(0, first), token.substr(first + 1, last - first - 1), token.substr(last + 1)};
  }
  static std::string part(const std::string& json) { return core::to_base64url(core::as_bytes(json)); }

  testing::FakeClock clock_;
  testing::SeededRandom random_;
  const AccessTokens tokens_{Keyring{"k2", {{"k1", key('1')}, {"k2", key('2')}}}};
  const Claims claims_{core::make_id<core::UserId>(clock_, random_), core::make_id<core::SessionId>(clock_, random_), 7,
                       clock_.now() + access_token_lifetime};
  const std::string token_ = tokens_.make(claims_);
};

TEST_F(AccessTokenTest, SaysWhatItWasMadeWith) {
  const auto verified = tokens_.verify(token_, clock_.now()).value();
  EXPECT_EQ(verified.user, claims_.user);
  EXPECT_EQ(verified.session, claims_.session);
  EXPECT_EQ(verified.epoch, 7);
  EXPECT_EQ(verified.expires_at, claims_.expires_at);
}

TEST_F(AccessTokenTest, Expires) {
  clock_.advance(access_token_lifetime - std::chrono::seconds(1));
  EXPECT_TRUE(tokens_.verify(token_, clock_.now()).has_value());
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(refusal(token_), Errc::token_expired);
}

TEST_F(AccessTokenTest, ATokenThatWasTakenBeforeStillHasToBeTheSame) {
  EXPECT_TRUE(tokens_.verify(token_, clock_.now()).has_value());
  EXPECT_TRUE(tokens_.verify(token_, clock_.now()).has_value());
  for (std::size_t i = 0; i < token_.size(); ++i) {
    std::string changed = token_;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(refusal(changed), Errc::token_invalid) << "changed at " << i;
  }
  EXPECT_EQ(refusal(token_ + "A"), Errc::token_invalid);
  EXPECT_EQ(refusal(token_.substr(0, token_.size() - 1)), Errc::token_invalid);
}

TEST_F(AccessTokenTest, AnOlderKeyVerifiesUntilItIsTakenOut) {
  const AccessTokens before(Keyring{"k1", {{"k1", key('1')}}});
  const auto old = before.make(claims_);
  EXPECT_TRUE(tokens_.verify(old, clock_.now()).has_value());
  const AccessTokens after(Keyring{"k2", {{"k2", key('2')}}});
  EXPECT_EQ(refusal(old, after), Errc::token_invalid);
}

TEST_F(AccessTokenTest, AnotherKeyOfTheSameNameIsRefused) {
  const AccessTokens foreign(Keyring{"k2", {{"k2", key('x')}}});
  EXPECT_EQ(refusal(foreign.make(claims_)), Errc::token_invalid);
}

TEST_F(AccessTokenTest, NoOtherAlgorithmIsTaken) {
  const auto parts = split(token_);
  for (const std::string header :
       {R"({"alg":"none","typ":"JWT","kid":"k2"})", R"({"alg":"None","kid":"k2"})", R"({"alg":"HS384","kid":"k2"})",
        R"({"alg":"RS256","kid":"k2"})", R"({"alg":"hs256","kid":"k2"})", R"({"kid":"k2"})",
        R"({"alg":["HS256"],"kid":"k2"})", R"(["HS256"])", "null", "{"}) {
    EXPECT_EQ(refusal(part(header) + "." + parts[1] + "." + parts[2]), Errc::token_invalid) << header;
    EXPECT_EQ(refusal(part(header) + "." + parts[1] + "."), Errc::token_invalid) << header;
  }
}

TEST_F(AccessTokenTest, AnUnknownKeyIdIsRefused) {
  const auto parts = split(token_);
  for (const std::string header :
       {R"({"alg":"HS256","kid":"k3"})", R"({"alg":"HS256","kid":"k1"})", R"({"alg":"HS256"})"}) {
    EXPECT_EQ(refusal(part(header) + "." + parts[1] + "." + parts[2]), Errc::token_invalid) << header;
  }
}

TEST_F(AccessTokenTest, EveryChangedCharacterAndEveryTruncationIsRefused) {
  for (std::size_t i = 0; i < token_.size(); ++i) {
    std::string changed = token_;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(refusal(changed), Errc::token_invalid) << "at " << i;
    EXPECT_EQ(refusal(token_.substr(0, i)), Errc::token_invalid) << "cut to " << i;
  }
  for (const std::string& token : {token_ + "A", token_ + "=", token_ + ".", "." + token_, token_ + "." + token_,
                                   std::string("a.b"), std::string(".."), std::string(5'000, 'a')}) {
    EXPECT_EQ(refusal(token), Errc::token_invalid);
  }
}

// The last character of a base64url text of 32 bytes carries two bits that mean nothing: they must be zero.
TEST_F(AccessTokenTest, StrayBitsInTheSignatureAreRefused) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  int taken = 0;
  for (const char last : alphabet) {
    std::string changed = token_;
    changed.back() = last;
    taken += tokens_.verify(changed, clock_.now()).has_value() ? 1 : 0;
  }
  EXPECT_EQ(taken, 1);
}

TEST_F(AccessTokenTest, ASignedPayloadMustHoldEveryClaim) {
  const auto header = part(R"({"alg":"HS256","typ":"JWT","kid":"k2"})");
  const auto sign = [&](const std::string& payload) {
    const std::string message = header + "." + part(payload);
    std::array<unsigned char, 32> mac{};
    unsigned length = 0;
    const auto secret = key('2');
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(), mac.data(), &length);
    return message + "." + core::to_base64url(std::as_bytes(std::span(mac)));
  };
  const auto user = core::to_text(claims_.user);
  const auto session = core::to_text(claims_.session);
  const auto payload = [](const std::string& id, const std::string& sid, const std::string& epoch,
                          const std::string& exp) {
    return R"({"user_id":")" + id + R"(","sid":")" + sid + R"(","epoch":)" + epoch + R"(,"exp":)" + exp + "}";
  };
  EXPECT_TRUE(tokens_.verify(sign(payload(user, session, "1", "4000000000")), clock_.now()).has_value());
  for (const auto& broken : {std::string("{}"), std::string("[]"), std::string("x"),
                             payload("", session, "1", "4000000000"), payload(user, "x", "1", "4000000000"),
                             payload(user, session, "\"1\"", "4000000000"), payload(user, session, "1", "\"never\""),
                             payload(user, session, "1", "4e9"), payload(user, session, "null", "4000000000")}) {
    EXPECT_EQ(refusal(sign(broken)), Errc::token_invalid) << broken;
  }
  EXPECT_EQ(refusal(sign(payload(user, session, "1", "5"))), Errc::token_expired);
}

TEST_F(AccessTokenTest, IsMadeForAMomentInTime) {
  Claims claims = claims_;
  claims.expires_at = core::from_micros(0);
  EXPECT_EQ(refusal(tokens_.make(claims)), Errc::token_expired);
}

}  // namespace
}  // namespace clouddocs::auth
