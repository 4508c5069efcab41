// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "features/access/rate_limiter.hpp"
#include "features/auth/auth_service.hpp"
#include "net/router.hpp"

namespace clouddocs::auth {

// /api/auth, and the filter that finds out who is calling. Thread-safe.
class AuthApi {
 public:
  AuthApi(AuthService& service, SessionRegistry& registry, const AccessTokens& tokens, access::RateLimiter& limiter,
          const core::Clock& clock)
      : service_(service), registry_(registry), tokens_(tokens), limiter_(limiter), clock_(clock) {}

  // Adds the routes and the filter. REQUIRES: this outlives the router.
  void mount(net::Router& router);
  // The caller that a token stands for. Errors: token_invalid, token_expired, unavailable.
  Task<core::Result<std::shared_ptr<const access::Authentication>>> authenticate(std::string token);

 private:
  using Reply = Task<core::Result<net::Response>>;
  Task<core::Result<>> filter(net::Request& request);
  Reply register_user(net::Request& request);
  Reply login(net::Request& request);
  Reply refresh(net::Request& request);
  Reply logout(net::Request& request);
  Reply password(net::Request& request);
  Reply me(net::Request& request);
  Reply sessions(net::Request& request);
  Reply end_session(net::Request& request);
  Reply end_other_sessions(net::Request& request);

  boost::json::object describe(const User& user) const;
  net::Response signed_in(const net::Request& request, const SignIn& outcome, int status) const;

  AuthService& service_;
  SessionRegistry& registry_;
  const AccessTokens& tokens_;
  access::RateLimiter& limiter_;
  const core::Clock& clock_;
};

}  // namespace clouddocs::auth
