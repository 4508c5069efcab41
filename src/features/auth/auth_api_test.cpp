// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/auth_api.hpp"

#include <gtest/gtest.h>

#include "features/auth/auth_fixture.hpp"

namespace clouddocs::auth {
namespace {

using boost::json::object;

class AuthApiTest : public ::testing::Test, protected AuthWorld {
 protected:
  static object credentials(const std::string& email, const std::string& secret = password) {
    return {{"email", email}, {"password", secret}, {"device_name", "Laptop"}};
  }
  net::RouterClient anyone{router};
};

TEST_F(AuthApiTest, RegisterSignsIn) {
  const auto reply = anyone.post("/api/auth/register", credentials("ann@example.org"));
  EXPECT_EQ(reply.status, 201);
  const auto body = reply.json();
  EXPECT_EQ(body.at("token_type").as_string(), "Bearer");
  EXPECT_EQ(body.at("expires_in").as_int64(), 900);
  EXPECT_EQ(body.at("user").at("email").as_string(), "ann@example.org");
  EXPECT_EQ(body.at("user").at("plan").as_string(), "free");
  EXPECT_EQ(body.at("user").at("storage_used").as_int64(), 0);
  EXPECT_EQ(reply.header("Cache-Control"), "no-store");
  EXPECT_EQ(reply.header("Set-Cookie"), "");
  net::RouterClient ann(router);
  ann.token = reply.text("access_token");
  EXPECT_EQ(ann.get("/api/auth/me").text("email"), "ann@example.org");
  EXPECT_EQ(anyone.post("/api/auth/register", credentials("ann@example.org")).code(), "email_taken");
}

TEST_F(AuthApiTest, WrongInputIsNamed) {
  EXPECT_EQ(anyone.post("/api/auth/register", object{{"email", "ann@example.org"}}).text("field"), "password");
  EXPECT_EQ(anyone.post("/api/auth/register", object{{"email", 5}, {"password", password}}).text("field"), "email");
  EXPECT_EQ(anyone.post("/api/auth/register", credentials("ann")).text("field"), "email");
  EXPECT_EQ(anyone.post("/api/auth/register", credentials("ann@example.org", "12345678")).code(), "password_weak");
  EXPECT_EQ(anyone.post("/api/auth/login", credentials("ann@example.org", std::string(257, 'x'))).code(),
            "invalid_request");
  net::FakeBody text("email=ann");
  EXPECT_EQ(
      anyone.ask(net::Method::post, "/api/auth/login", {{"Content-Type", "application/x-www-form-urlencoded"}}, &text)
          .status,
      415);
}

TEST_F(AuthApiTest, ATokenThatWasTakenBeforeIsRefusedOnceItsSessionHasEnded) {
  const SignIn here = sign_up("ann@example.org");
  const SignIn there = sign_in("ann@example.org");
  auto ann = client(here);
  auto phone = client(there);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ann.get("/api/auth/me").status, 200);
    EXPECT_EQ(phone.get("/api/auth/me").status, 200);
  }
  EXPECT_EQ(ann.del("/api/auth/sessions/" + core::to_text(there.session.id)).status, 204);
  EXPECT_EQ(phone.get("/api/auth/me").code(), "token_invalid");
  const auto changed =
      ann.post("/api/auth/password", object{{"current_password", password}, {"new_password", "another correct horse"}});
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(ann.get("/api/auth/me").code(), "token_invalid") << "a token of the epoch before";
}

TEST_F(AuthApiTest, ARequestWithoutAGoodTokenIs401) {
  EXPECT_EQ(anyone.get("/api/auth/me").code(), "unauthorized");
  EXPECT_EQ(anyone.get("/api/auth/me", {{"Authorization", "Basic x"}}).code(), "token_invalid");
  EXPECT_EQ(anyone.get("/api/auth/me", {{"Authorization", "Bearer x"}}).status, 401);
  const SignIn in = sign_up("ann@example.org");
  auto ann = client(in);
  EXPECT_EQ(ann.get("/api/auth/me").status, 200);
  clock.advance(access_token_lifetime);
  EXPECT_EQ(ann.get("/api/auth/me").code(), "token_expired");
}

TEST_F(AuthApiTest, FailedSignInsAreLimitedPerAccountHoweverItIsSpelt) {
  sign_up("ann@example.org");
  for (const std::string email : {"ann@example.org", "ANN@example.org", " ann@Example.org"}) {
    EXPECT_EQ(anyone.post("/api/auth/login", credentials(email, "wrong horse")).code(), "credentials_invalid");
  }
  const auto refused = anyone.post("/api/auth/login", credentials("Ann@example.org"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.header("Retry-After"), "");
  EXPECT_EQ(anyone.post("/api/auth/login", credentials("bob@example.org")).status, 401) << "others are not harmed";
  cache_time += std::chrono::minutes(15);
  EXPECT_EQ(anyone.post("/api/auth/login", credentials("ann@example.org")).status, 200);
}

TEST_F(AuthApiTest, DevicesRefreshWithTheTokenInTheBody) {
  const SignIn in = sign_up("ann@example.org");
  const auto reply = anyone.post("/api/auth/refresh", object{{"refresh_token", in.refresh_token}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.text("refresh_token"), "");
  EXPECT_EQ(anyone.post("/api/auth/refresh").code(), "unauthorized");
  EXPECT_EQ(anyone.post("/api/auth/refresh", object{{"refresh_token", "x"}}).code(), "token_invalid");
}

TEST_F(AuthApiTest, BrowsersKeepTheRefreshTokenInACookieNoScriptCanRead) {
  net::RouterClient browser(router);
  browser.headers = {{"X-Clouddocs-Client", "web"}};
  browser.secure = true;
  const auto reply = browser.post("/api/auth/register", credentials("ann@example.org"));
  EXPECT_FALSE(reply.json().contains("refresh_token"));
  const auto cookie = reply.header("Set-Cookie");
  for (const std::string part : {"HttpOnly", "Secure", "SameSite=Strict", "Path=/api/auth"}) {
    EXPECT_NE(cookie.find(part), std::string::npos) << cookie;
  }
  const auto pair = "other=1; " + cookie.substr(0, cookie.find(';'));
  EXPECT_EQ(anyone.ask(net::Method::post, "/api/auth/refresh", {{"Cookie", pair}}).code(), "unauthorized")
      << "the cookie alone opens nothing";
  const auto refreshed = browser.ask(net::Method::post, "/api/auth/refresh", {{"Cookie", pair}});
  EXPECT_EQ(refreshed.status, 200);
  browser.secure = false;
  const auto next = refreshed.header("Set-Cookie");
  const auto ended = browser.ask(net::Method::post, "/api/auth/logout", {{"Cookie", next.substr(0, next.find(';'))}});
  EXPECT_EQ(ended.status, 204);
  EXPECT_NE(ended.header("Set-Cookie").find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(ended.header("Set-Cookie").find("Secure"), std::string::npos);
}

TEST_F(AuthApiTest, LogoutTakesAnAccessTokenOrARefreshToken) {
  const SignIn first = sign_up("ann@example.org");
  auto ann = client(first);
  EXPECT_EQ(ann.post("/api/auth/logout").status, 204);
  EXPECT_EQ(ann.get("/api/auth/me").code(), "token_invalid");
  const SignIn second = sign_in("ann@example.org");
  EXPECT_EQ(anyone.post("/api/auth/logout", object{{"refresh_token", second.refresh_token}}).status, 204);
  EXPECT_FALSE(is_taken(second.access_token));
  EXPECT_EQ(anyone.post("/api/auth/logout").code(), "unauthorized");
}

TEST_F(AuthApiTest, APasswordChangeAnswersWithFreshTokens) {
  const SignIn first = sign_up("ann@example.org");
  auto ann = client(first);
  const auto wrong =
      ann.post("/api/auth/password", object{{"current_password", "x"}, {"new_password", "battery staple"}});
  EXPECT_EQ(wrong.status, 403) << "401 would make a client refresh its token";
  EXPECT_EQ(wrong.text("field"), "current_password");
  EXPECT_EQ(ann.post("/api/auth/password", object{{"current_password", password}, {"new_password", "1"}}).code(),
            "password_weak");
  const auto changed =
      ann.post("/api/auth/password", object{{"current_password", password}, {"new_password", "battery staple"}});
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(ann.get("/api/auth/me").status, 401);
  ann.token = changed.text("access_token");
  EXPECT_EQ(ann.get("/api/auth/me").status, 200);
}

TEST_F(AuthApiTest, SessionsAreListedAndEnded) {
  const SignIn first = sign_up("ann@example.org");
  const SignIn second = sign_in("ann@example.org", "Phone");
  auto ann = client(first);
  const auto items = ann.get("/api/auth/sessions").json().at("items").as_array();
  ASSERT_EQ(items.size(), 2U);
  int current = 0;
  for (const auto& item : items) current += item.at("current").as_bool() ? 1 : 0;
  EXPECT_EQ(current, 1);
  EXPECT_EQ(ann.del("/api/auth/sessions/x").code(), "invalid_id");
  EXPECT_EQ(ann.del("/api/auth/sessions/" + core::to_text(core::SessionId{})).status, 404);
  EXPECT_EQ(ann.del("/api/auth/sessions/" + core::to_text(second.session.id)).status, 204);
  EXPECT_FALSE(is_taken(second.access_token));
  const SignIn third = sign_in("ann@example.org");
  EXPECT_EQ(ann.del("/api/auth/sessions").status, 204);
  EXPECT_FALSE(is_taken(third.access_token));
  for (const std::string path : {"/api/auth/sessions", "/api/auth/me"}) EXPECT_EQ(anyone.get(path).status, 401);
}

TEST_F(AuthApiTest, RequestsAreLimitedPerAddressAndPerSession) {
  access::RateLimiter strict(*cache, {.anonymous_per_minute = 2, .session_per_minute = 3, .failed_logins = 3});
  AuthApi limited(auth, registry, tokens, strict, clock);
  net::Router other;
  limited.mount(other);
  net::RouterClient stranger(other);
  EXPECT_EQ(stranger.get("/api/auth/me").status, 401);
  EXPECT_EQ(stranger.get("/api/auth/me").status, 401);
  EXPECT_EQ(stranger.get("/api/auth/me").status, 429);
  stranger.peer = "192.0.2.2";
  EXPECT_EQ(stranger.get("/api/auth/me").status, 401);
  net::RouterClient ann(other);
  ann.token = sign_up("ann@example.org").access_token;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(ann.get("/api/auth/me").status, 200) << "an address over its limit does not stop a session";
  EXPECT_EQ(ann.get("/api/auth/me").status, 429);
  cache_time += std::chrono::minutes(1);
  EXPECT_EQ(ann.get("/api/auth/me").status, 200);
}

}  // namespace
}  // namespace clouddocs::auth
