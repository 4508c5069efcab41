// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/password.hpp"

#include <gtest/gtest.h>

#include "testing/run.hpp"

namespace clouddocs::auth {
namespace {

using core::Errc;
using testing::run;

TEST(PasswordHasher, VerifiesWithArgon2id) {
  PasswordHasher hasher(1);
  const auto hash = run(hasher.hash("correct horse")).value();
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << hash;
  EXPECT_TRUE(run(hasher.verify("correct horse", hash)).value());
  EXPECT_FALSE(run(hasher.verify("correct horsf", hash)).value());
  EXPECT_FALSE(run(hasher.verify("", hash)).value());
  EXPECT_NE(run(hasher.hash("correct horse")).value(), hash) << "a fresh salt";
}

TEST(PasswordHasher, AnUnknownAccountIsFalseAndNothingElse) {
  PasswordHasher hasher(1);
  EXPECT_FALSE(run(hasher.verify("no password is this one", "")).value());
  EXPECT_FALSE(run(hasher.verify("x", "not a hash")).value());
}

TEST(PasswordHasher, RefusesWhenTooManyWait) {
  PasswordHasher hasher(1);
  int refused = 0;
  auto verify = [&]() -> core::Task<> {
    const auto outcome = co_await hasher.verify("x", "not a hash");
    if (outcome.has_error()) {
      EXPECT_EQ(outcome.error().code, Errc::unavailable);
      ++refused;
    }
  };
  std::vector<core::Task<>> tasks;
  for (int i = 0; i < 300; ++i) tasks.push_back(verify());
  testing::run_all(std::move(tasks), 1);
  EXPECT_GT(refused, 0);
}

TEST(NewPassword, MustNotBeAmongTheFirstGuesses) {
  for (const std::string& weak :
       {std::string(), std::string("1234567"), std::string("password"), std::string("PassWord"),
        std::string("aaaaaaaaaa"), std::string("AAAAaaaa"), std::string("me@example.org"), std::string(257, 'x')}) {
    const auto checked = check_new_password(weak, "me@example.org");
    ASSERT_TRUE(checked.has_error()) << weak;
    EXPECT_EQ(checked.error().code, Errc::password_weak);
  }
  EXPECT_TRUE(check_new_password("correct horse", "me@example.org").has_value());
  EXPECT_TRUE(check_new_password(std::string(255, 'x') + "y", "me@example.org").has_value());
}

TEST(Email, IsTrimmedAndInLowerCase) {
  EXPECT_EQ(normalise_email("  Ann.Lee@Example.ORG ").value(), "ann.lee@example.org");
  EXPECT_EQ(normalise_email("a+b@c").value(), "a+b@c");
  EXPECT_EQ(normalise_email("\u0436@example.org").value(), "\u0436@example.org");
}

TEST(Email, WhatIsNoneIsRefused) {
  for (const std::string& text :
       {std::string(), std::string(" "), std::string("a"), std::string("@b"), std::string("a@"), std::string("a b@c"),
        std::string("a@b@c"), std::string("a@.b"), std::string("a@b."), std::string("\"a\"@b"), std::string("<a@b>"),
        std::string("a@b\n"), std::string("a@\xff"), std::string(250, 'a') + "@bcde"}) {
    const auto refused = normalise_email(text);
    ASSERT_TRUE(refused.has_error()) << text;
    EXPECT_EQ(refused.error().code, Errc::invalid_request);
    EXPECT_EQ(refused.error().extension, "\"field\":\"email\"");
  }
}

}  // namespace
}  // namespace clouddocs::auth
