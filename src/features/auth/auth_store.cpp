// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/auth_store.hpp"

namespace clouddocs::auth {
namespace {

using database::Rows;
using database::Statement;

#define USER_COLUMNS \
  "id, email, password_hash, plan, storage_used, created_at, token_epoch, locale, role, disabled_at IS NOT NULL"
#define SESSION_COLUMNS                                                                                                \
  "id, user_id, kind, device_name, refresh_generation, refresh_hash, spent_hash, spent_at, created_at, last_used_at, " \
  "expires_at, revoked_at"

constexpr Statement find_user_by_id{"user_find", "SELECT " USER_COLUMNS " FROM users WHERE id = $1"};
constexpr Statement find_by_email{"user_find_by_email", "SELECT " USER_COLUMNS " FROM users WHERE email = $1"};
constexpr Statement count_all{"user_count", "SELECT COUNT(*) FROM users"};
constexpr Statement insert{
    "user_insert",
    "INSERT INTO users (id, email, password_hash, plan, created_at, locale, role) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    " ON CONFLICT (email) DO NOTHING"};
constexpr Statement update_password{"user_set_password",
                                    "UPDATE users SET password_hash = $2, token_epoch = token_epoch + 1 WHERE id = $1"};
constexpr Statement update_plan{"user_set_plan", "UPDATE users SET plan = $2 WHERE id = $1"};

constexpr Statement find_session_by_id{"session_find", "SELECT " SESSION_COLUMNS " FROM sessions WHERE id = $1"};
constexpr Statement list_live{"session_list",
                              "SELECT " SESSION_COLUMNS
                              " FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2"
                              " ORDER BY last_used_at DESC LIMIT 1000"};
constexpr Statement insert_one{
    "session_insert",
    "INSERT INTO sessions (id, user_id, kind, device_name, refresh_generation, refresh_hash, created_at, last_used_at,"
    " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
constexpr Statement rotate{
    "session_rotate",
    "UPDATE sessions SET refresh_generation = $2, refresh_hash = $3, spent_hash = $4, spent_at = $5, last_used_at = $6,"
    " expires_at = $7 WHERE id = $1"};
constexpr Statement revoke_one{"session_revoke",
                               "UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL"};
constexpr Statement revoke_all{
    "session_revoke_all", "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL AND id <> $3"};
constexpr Statement insert_revocation{
    "revocation_insert",
    "INSERT INTO revocations (user_id, session_id, except_session, created_at) VALUES ($1, $2, $3, $4)"};
constexpr Statement list_revocations{
    "revocation_list",
    "SELECT id, user_id, session_id, except_session FROM revocations WHERE id > $1 ORDER BY id LIMIT 10000"};
constexpr Statement newest{"revocation_newest", "SELECT COALESCE(MAX(id), 0) FROM revocations"};
constexpr Statement drop_revocations{"revocation_drop", "DELETE FROM revocations WHERE created_at < $1"};
constexpr Statement insert_audit{
    "audit_insert", "INSERT INTO audit (created_at, user_id, session_id, action, detail) VALUES ($1, $2, $3, $4, $5)"};

User read_user(const Rows::Row& row) {
  User user;
  user.id = row.id<UserId>(0);
  user.email = row.text(1);
  user.password_hash = row.text(2);
  user.plan = row.text(3);
  user.storage_used = row.int64(4);
  user.created_at = row.timestamp(5);
  user.token_epoch = row.int64(6);
  user.locale = row.text(7);
  user.role = row.text(8);
  user.disabled = row.boolean(9);
  return user;
}

core::Bytes copy(core::ByteView view) { return {view.begin(), view.end()}; }

Session read_session(const Rows::Row& row) {
  Session session;
  session.id = row.id<SessionId>(0);
  session.user = row.id<UserId>(1);
  session.kind = row.text(2);
  session.device_name = row.text(3);
  session.refresh_generation = row.int64(4);
  session.refresh_hash = copy(row.bytes(5));
  if (!row.is_null(6)) session.spent_hash = copy(row.bytes(6));
  session.spent_at = row.optional_timestamp(7);
  session.created_at = row.timestamp(8);
  session.last_used_at = row.timestamp(9);
  session.expires_at = row.timestamp(10);
  session.revoked_at = row.optional_timestamp(11);
  return session;
}

}  // namespace

Task<std::optional<User>> AuthStore::find_user(Transaction& tx, UserId id) {
  const auto rows = co_await tx.execute(find_user_by_id, id);
  if (rows.empty()) co_return std::nullopt;
  co_return read_user(rows.front());
}

Task<std::optional<User>> AuthStore::find_user_by_email(Transaction& tx, std::string_view email) {
  const auto rows = co_await tx.execute(find_by_email, email);
  if (rows.empty()) co_return std::nullopt;
  co_return read_user(rows.front());
}

Task<std::int64_t> AuthStore::count_users(Transaction& tx) {
  const auto rows = co_await tx.execute(count_all);
  co_return rows.front().int64(0);
}

Task<bool> AuthStore::insert_user(Transaction& tx, const User& user) {
  const auto rows = co_await tx.execute(insert, user.id, user.email, user.password_hash, user.plan, user.created_at,
                                        user.locale, user.role);
  co_return rows.affected() == 1;
}

Task<> AuthStore::set_password(Transaction& tx, UserId id, std::string_view hash) {
  co_await tx.execute(update_password, id, hash);
}

Task<> AuthStore::set_plan(Transaction& tx, UserId id, std::string_view plan) {
  co_await tx.execute(update_plan, id, plan);
}

Task<std::optional<Session>> AuthStore::find_session(Transaction& tx, SessionId id) {
  const auto rows = co_await tx.execute(find_session_by_id, id);
  if (rows.empty()) co_return std::nullopt;
  co_return read_session(rows.front());
}

Task<std::vector<Session>> AuthStore::live_sessions(Transaction& tx, UserId user, Timestamp now) {
  const auto rows = co_await tx.execute(list_live, user, now);
  std::vector<Session> sessions;
  for (std::size_t i = 0; i < rows.size(); ++i) sessions.push_back(read_session(rows[i]));
  co_return sessions;
}

Task<> AuthStore::insert_session(Transaction& tx, const Session& s) {
  co_await tx.execute(insert_one, s.id, s.user, s.kind, s.device_name, s.refresh_generation, s.refresh_hash,
                      s.created_at, s.last_used_at, s.expires_at);
}

Task<> AuthStore::rotate_refresh(Transaction& tx, const Session& s) {
  co_await tx.execute(rotate, s.id, s.refresh_generation, s.refresh_hash, s.spent_hash, s.spent_at, s.last_used_at,
                      s.expires_at);
}

Task<> AuthStore::revoke(Transaction& tx, const Revocation& revocation, Timestamp now) {
  if (revocation.session) {
    co_await tx.execute(revoke_one, *revocation.session, now);
  } else {
    co_await tx.execute(revoke_all, revocation.user, now, revocation.except.value_or(SessionId{}));
  }
  co_await tx.execute(insert_revocation, revocation.user, revocation.session, revocation.except, now);
}

Task<std::vector<Revocation>> AuthStore::revocations_after(Transaction& tx, std::int64_t id) {
  const auto rows = co_await tx.execute(list_revocations, id);
  std::vector<Revocation> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Revocation revocation;
    revocation.id = rows[i].int64(0);
    revocation.user = rows[i].id<UserId>(1);
    if (!rows[i].is_null(2)) revocation.session = rows[i].id<SessionId>(2);
    if (!rows[i].is_null(3)) revocation.except = rows[i].id<SessionId>(3);
    out.push_back(revocation);
  }
  co_return out;
}

Task<std::int64_t> AuthStore::newest_revocation(Transaction& tx) {
  const auto rows = co_await tx.execute(newest);
  co_return rows.front().int64(0);
}

Task<> AuthStore::drop_old(Transaction& tx, Timestamp before) { co_await tx.execute(drop_revocations, before); }

Task<> AuthStore::audit(Transaction& tx, Timestamp now, std::optional<UserId> user, std::optional<SessionId> session,
                        std::string_view action, std::string_view detail) {
  co_await tx.execute(insert_audit, now, user, session, action, detail);
}

}  // namespace clouddocs::auth
