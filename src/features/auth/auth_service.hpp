// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/random.hpp"
#include "features/access/plans.hpp"
#include "features/access/signer.hpp"
#include "features/auth/access_token.hpp"
#include "features/auth/auth_store.hpp"
#include "features/auth/password.hpp"
#include "features/auth/session_registry.hpp"

namespace clouddocs::auth {

inline constexpr std::chrono::days session_lifetime{60};  // since the last refresh
inline constexpr std::chrono::seconds spent_token_grace{30};

// A successful sign-in.
struct SignIn {
  User user;
  Session session;
  std::string access_token;
  std::string refresh_token;
};

struct NewLogin {
  std::string email;
  std::string password;
  std::string kind = "device";  // or "web"
  std::string device_name;
  std::string locale = "en";
};

// Accounts and sessions. Thread-safe.
class AuthService {
 public:
  struct Policy {
    bool registration_open = true;
    std::string default_plan = "free";
  };
  AuthService(database::Database& db, const AccessTokens& tokens, const access::Signer& refresh_signer,
              PasswordHasher& hasher, SessionRegistry& registry, const access::Plans& plans, const core::Clock& clock,
              core::Random& random, Policy policy);

  // Makes an account with its personal space; the first one is an admin. Errors: registration_closed, email_taken, password_weak,
  // invalid_request.
  Task<core::Result<SignIn>> register_user(NewLogin login);
  // The same without a session, for the command line (registration may be closed).
  Task<core::Result<User>> add_user(std::string email, std::string password, std::string plan, std::string role);
  // Errors: credentials_invalid, device_limit, unavailable.
  Task<core::Result<SignIn>> login(NewLogin login);
  // Exchanges a refresh token. The spent one is taken once more within 30 s while its successor has not been used, and gets the same successor;
  // later use of it ends the session. Errors: token_invalid.
  Task<core::Result<SignIn>> refresh(std::string token);
  Task<core::Result<>> logout(UserId user, SessionId session);
  // Ends the session of a refresh token. Errors: token_invalid.
  Task<core::Result<>> logout_by_refresh(std::string token);
  // Ends every other session, with their access tokens, sockets and uploads. Errors: credentials_invalid, password_weak.
  Task<core::Result<SignIn>> change_password(access::Caller caller, std::string current, std::string next);
  // Sets a password without knowing the old one and ends every session. Errors: not_found, password_weak.
  Task<core::Result<>> reset_password(std::string email, std::string next);
  Task<core::Result<>> set_plan(std::string email, std::string plan);

  Task<core::Result<User>> find_user(UserId id);
  Task<core::Result<std::vector<Session>>> sessions(UserId user);
  // Errors: not_found.
  Task<core::Result<>> end_session(access::Caller caller, SessionId session);
  Task<core::Result<>> end_other_sessions(access::Caller caller);
  // Drops revocations that every node has long read.
  Task<core::Result<>> clean();

  const access::Plans& plans() const { return plans_; }
  const Policy& policy() const { return policy_; }

 private:
  std::string make_refresh_token(SessionId session, std::int64_t generation) const;
  Task<core::Result<User>> insert_account(Transaction& tx, User user);
  SignIn sign_in(User user, Session session) const;
  Session new_session(const User& user, const NewLogin& login) const;
  Task<core::Result<>> revoke(Revocation revocation, std::string action);

  database::Database& db_;
  const AccessTokens& tokens_;
  const access::Signer& refresh_signer_;
  PasswordHasher& hasher_;
  SessionRegistry& registry_;
  const access::Plans& plans_;
  const core::Clock& clock_;
  core::Random& random_;
  Policy policy_;
};

}  // namespace clouddocs::auth
