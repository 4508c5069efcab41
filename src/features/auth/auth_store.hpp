// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "content/chunk.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "database/database.hpp"

namespace clouddocs::auth {

using core::SessionId;
using core::Task;
using core::Timestamp;
using core::UserId;
using database::Transaction;

struct User {
  UserId id;
  std::string email;
  std::string password_hash;
  std::string plan = "free";
  std::int64_t storage_used = 0;
  Timestamp created_at;
  std::int64_t token_epoch = 0;
  std::string locale = "en";
  std::string role = "user";
  bool disabled = false;
};

// A login. Its refresh token is used once: the hash of the present one, and of the one spent last.
struct Session {
  SessionId id;
  UserId user;
  std::string kind;  // "web" or "device"
  std::string device_name;
  std::int64_t refresh_generation = 0;
  core::Bytes refresh_hash;
  core::Bytes spent_hash;
  std::optional<Timestamp> spent_at;
  Timestamp created_at;
  Timestamp last_used_at;
  Timestamp expires_at;
  std::optional<Timestamp> revoked_at;
};

// An end of sessions that every node must learn of. Without `session`: all of the user's but `except`.
struct Revocation {
  std::int64_t id = 0;
  UserId user;
  std::optional<SessionId> session;
  std::optional<SessionId> except;
};

// SQL on `users`, `sessions`, `revocations`, `audit`. Stateless.
class AuthStore {
 public:
  static Task<std::optional<User>> find_user(Transaction& tx, UserId id);
  static Task<std::optional<User>> find_user_by_email(Transaction& tx, std::string_view email);
  static Task<std::int64_t> count_users(Transaction& tx);
  // False when the e-mail is taken.
  static Task<bool> insert_user(Transaction& tx, const User& user);
  static Task<> set_password(Transaction& tx, UserId id, std::string_view hash);  // and moves the token epoch
  static Task<> set_plan(Transaction& tx, UserId id, std::string_view plan);

  static Task<std::optional<Session>> find_session(Transaction& tx, SessionId id);
  static Task<std::vector<Session>> live_sessions(Transaction& tx, UserId user, Timestamp now);
  static Task<> insert_session(Transaction& tx, const Session& session);
  static Task<> rotate_refresh(Transaction& tx, const Session& session);

  // Ends sessions and tells the other nodes.
  static Task<> revoke(Transaction& tx, const Revocation& revocation, Timestamp now);
  static Task<std::vector<Revocation>> revocations_after(Transaction& tx, std::int64_t id);
  static Task<std::int64_t> newest_revocation(Transaction& tx);
  static Task<> drop_old(Transaction& tx, Timestamp before);

  static Task<> audit(Transaction& tx, Timestamp now, std::optional<UserId> user, std::optional<SessionId> session,
                      std::string_view action, std::string_view detail);
};

}  // namespace clouddocs::auth
