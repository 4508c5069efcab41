// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "bus/local/local_cache.hpp"
#include "features/auth/auth_api.hpp"
#include "features/storage/storage_fixture.hpp"

// Accounts and sessions over the storage world of tests, with the API mounted on a router.
namespace clouddocs::auth {

using core::Errc;
using storage::code_of;
using testing::run;

class AuthWorld : public storage::StorageWorld {
 public:
  static constexpr const char* password = "correct horse";

  AuthWorld() { api.mount(router); }

  static NewLogin login_of(const std::string& email, const std::string& device = "Laptop") {
    NewLogin login;
    login.email = email;
    login.password = password;
    login.device_name = device;
    return login;
  }
  SignIn sign_up(const std::string& email) { return run(auth.register_user(login_of(email))).value(); }
  SignIn sign_in(const std::string& email, const std::string& device = "Phone") {
    return run(auth.login(login_of(email, device))).value();
  }
  static access::Caller caller_of(const SignIn& in) {
    access::Caller caller;
    caller.user = in.user.id;
    caller.session = in.session.id;
    return caller;
  }
  // Whether an access token is taken, by this node or another one.
  bool is_taken(const std::string& token) { return run(api.authenticate(token)).has_value(); }
  // A client with the access token of a session.
  net::RouterClient client(const SignIn& in) {
    net::RouterClient out(router);
    out.token = in.access_token;
    return out;
  }

  static core::Bytes secret(char c) { return core::Bytes(32, static_cast<std::byte>(c)); }

  const AccessTokens tokens{Keyring{"k1", {{"k1", secret('k')}}}};
  const access::Signer refresh_signer{secret('m'), "refresh token"};
  PasswordHasher hasher{1};
  SessionRegistry registry{*database};
  AuthService auth{*database, tokens, refresh_signer, hasher, registry, plans, clock, random, {}};
  std::chrono::steady_clock::time_point cache_time{};
  const std::unique_ptr<bus::Cache> cache = bus::make_local_cache({.now = [this] { return cache_time; }});
  access::RateLimiter limiter{*cache, {.anonymous_per_minute = 1'000, .session_per_minute = 1'000, .failed_logins = 3}};
  AuthApi api{auth, registry, tokens, limiter, clock};
  net::Router router;
};

}  // namespace clouddocs::auth
