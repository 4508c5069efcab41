// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/auth_service.hpp"

#include "content/sha256.hpp"
#include "core/encoding.hpp"
#include "core/log.hpp"
#include "features/storage/space_store.hpp"
#include "features/storage/tree_store.hpp"

namespace clouddocs::auth {
namespace {

using core::Errc;
using core::Error;
using core::Result;

core::Bytes hash_of(std::string_view token) {
  const auto hash = content::sha256(core::as_bytes(token));
  return {hash.begin(), hash.end()};
}

Error token_refused() { return {Errc::token_invalid, "The refresh token is not valid any more. Sign in again."}; }

// The session that a refresh token names.
std::optional<SessionId> session_of(std::string_view token) {
  const auto bytes = core::from_base64url(token);
  if (!bytes || bytes->size() != 16 + 8 + 32) return std::nullopt;
  return core::id_from_bytes<SessionId>(core::ByteView(*bytes).first(16));
}

}  // namespace

AuthService::AuthService(database::Database& db, const AccessTokens& tokens, const access::Signer& refresh_signer,
                         PasswordHasher& hasher, SessionRegistry& registry, const access::Plans& plans,
                         const core::Clock& clock, core::Random& random, Policy policy)
    : db_(db),
      tokens_(tokens),
      refresh_signer_(refresh_signer),
      hasher_(hasher),
      registry_(registry),
      plans_(plans),
      clock_(clock),
      random_(random),
      policy_(std::move(policy)) {}

// Derived instead of drawn, so that a repeated refresh (a lost answer, a second tab) gets the same successor. Only its hash is stored.
std::string AuthService::make_refresh_token(SessionId session, std::int64_t generation) const {
  core::Bytes token(session.bytes.begin(), session.bytes.end());
  core::append_little_endian(token, static_cast<std::uint64_t>(generation));
  const auto signature = refresh_signer_.sign(token);
  token.insert(token.end(), signature.begin(), signature.end());
  return core::to_base64url(token);
}

Session AuthService::new_session(const User& user, const NewLogin& login) const {
  Session session;
  session.id = core::make_id<SessionId>(clock_, random_);
  session.user = user.id;
  session.kind = login.kind;
  session.device_name =
      login.device_name.empty() ? (login.kind == "web" ? "Web browser" : "Device") : login.device_name;
  session.refresh_generation = 1;
  session.refresh_hash = hash_of(make_refresh_token(session.id, 1));
  session.created_at = clock_.now();
  session.last_used_at = session.created_at;
  session.expires_at = session.created_at + session_lifetime;
  return session;
}

SignIn AuthService::sign_in(User user, Session session) const {
  SignIn out;
  out.access_token = tokens_.make({user.id, session.id, user.token_epoch, clock_.now() + access_token_lifetime});
  out.refresh_token = make_refresh_token(session.id, session.refresh_generation);
  out.user = std::move(user);
  out.session = std::move(session);
  return out;
}

Task<Result<User>> AuthService::insert_account(Transaction& tx, User user) {
  if (!co_await AuthStore::insert_user(tx, user)) {
    co_return Error(Errc::email_taken, "There is already an account with this e-mail address.");
  }
  storage::Space space;
  space.id = core::make_id<core::SpaceId>(clock_, random_);
  space.owner = user.id;
  space.kind = "personal";
  space.root = core::make_id<core::NodeId>(clock_, random_);
  space.seq = 1;
  space.epoch = 1;
  co_await storage::SpaceStore::create(tx, space, user.created_at);
  storage::Node root;
  root.id = space.root;
  root.kind = storage::NodeKind::folder;
  root.modified_at = root.uploaded_at = user.created_at;
  root.seq = root.tree_seq = 1;
  co_await storage::TreeStore::insert(tx, space.id, user.id, root);
  co_await AuthStore::audit(tx, user.created_at, user.id, std::nullopt, "account_created", user.email);
  co_return user;
}

Task<Result<SignIn>> AuthService::register_user(NewLogin login) {
  if (!policy_.registration_open) {
    co_return Error(Errc::registration_closed,
                    "This server does not take new accounts. Ask its administrator for one.");
  }
  CO_TRY(std::string email, normalise_email(login.email));
  CO_CHECK(check_new_password(login.password, email));
  CO_TRY(std::string hash, co_await hasher_.hash(login.password));
  auto body = [&](Transaction& tx) -> Task<Result<SignIn>> {
    User user;
    user.id = core::make_id<UserId>(clock_, random_);
    user.email = email;
    user.password_hash = hash;
    user.plan = policy_.default_plan;
    user.created_at = clock_.now();
    user.locale = login.locale;
    user.role = co_await AuthStore::count_users(tx) == 0 ? "admin" : "user";
    CO_TRY(User made, co_await insert_account(tx, std::move(user)));
    Session session = new_session(made, login);
    co_await AuthStore::insert_session(tx, session);
    co_return sign_in(std::move(made), std::move(session));
  };
  co_return co_await database::write(db_, body);
}

Task<Result<User>> AuthService::add_user(std::string email, std::string password, std::string plan, std::string role) {
  CO_TRY(email, normalise_email(email));
  CO_CHECK(check_new_password(password, email));
  if (!plans_.has(plan)) co_return Error(Errc::invalid_request, "There is no plan named \"" + plan + "\".");
  CO_TRY(std::string hash, co_await hasher_.hash(password));
  auto body = [&](Transaction& tx) -> Task<Result<User>> {
    User user;
    user.id = core::make_id<UserId>(clock_, random_);
    user.email = email;
    user.password_hash = hash;
    user.plan = plan;
    user.created_at = clock_.now();
    user.role = role;
    co_return co_await insert_account(tx, std::move(user));
  };
  co_return co_await database::write(db_, body);
}

Task<Result<SignIn>> AuthService::login(NewLogin login) {
  const Error refused(Errc::credentials_invalid, "The e-mail address or the password is wrong.");
  auto email = normalise_email(login.email);
  auto find = [&](Transaction& tx) -> Task<Result<std::optional<User>>> {
    if (email.has_error()) co_return std::optional<User>();
    co_return co_await AuthStore::find_user_by_email(tx, email.value());
  };
  CO_TRY(std::optional<User> user, co_await database::read(db_, find));
  const std::string hash = user ? user->password_hash : std::string();
  CO_TRY(const bool correct, co_await hasher_.verify(login.password, hash));
  if (!correct || user->disabled) co_return refused;
  auto body = [&](Transaction& tx) -> Task<Result<SignIn>> {
    // The password may have changed while it was being verified.
    auto fresh = co_await AuthStore::find_user(tx, user->id);
    if (!fresh || fresh->disabled || fresh->password_hash != user->password_hash) co_return refused;
    const Timestamp now = clock_.now();
    if (login.kind == "device") {
      const auto sessions = co_await AuthStore::live_sessions(tx, fresh->id, now);
      const auto devices =
          std::count_if(sessions.begin(), sessions.end(), [](const auto& s) { return s.kind == "device"; });
      if (devices >= plans_.get(fresh->plan).devices) {
        co_return Error(Errc::device_limit, "This plan allows " + std::to_string(plans_.get(fresh->plan).devices) +
                                                " devices. Sign out one of the others first.");
      }
    }
    Session session = new_session(*fresh, login);
    co_await AuthStore::insert_session(tx, session);
    co_await AuthStore::audit(tx, now, fresh->id, session.id, "signed_in", session.device_name);
    co_return sign_in(std::move(*fresh), std::move(session));
  };
  co_return co_await database::write(db_, body);
}

Task<Result<SignIn>> AuthService::refresh(std::string token) {
  const auto session_id = session_of(token);
  if (!session_id) co_return token_refused();
  const core::Bytes hash = hash_of(token);
  std::optional<Revocation> reuse;
  auto body = [&](Transaction& tx) -> Task<Result<std::optional<SignIn>>> {
    reuse.reset();
    const Timestamp now = clock_.now();
    auto session = co_await AuthStore::find_session(tx, *session_id);
    if (!session || session->revoked_at || session->expires_at <= now) co_return token_refused();
    auto user = co_await AuthStore::find_user(tx, session->user);
    if (!user || user->disabled) co_return token_refused();
    if (core::equal_constant_time(hash, session->refresh_hash)) {
      session->spent_hash = session->refresh_hash;
      session->spent_at = now;
      session->refresh_generation += 1;
      session->refresh_hash = hash_of(make_refresh_token(session->id, session->refresh_generation));
      session->last_used_at = now;
      session->expires_at = now + session_lifetime;
      co_await AuthStore::rotate_refresh(tx, *session);
      co_return sign_in(std::move(*user), std::move(*session));
    }
    const bool spent = core::equal_constant_time(hash, session->spent_hash);
    if (spent && session->spent_at && now - *session->spent_at <= spent_token_grace) {
      co_return sign_in(std::move(*user), std::move(*session));
    }
    // A token of this session that was spent before: somebody has a copy. Forged ones do not get this far to do harm.
    const auto bytes = core::from_base64url(token);
    const auto generation = static_cast<std::int64_t>(core::load_little_endian<std::uint64_t>(bytes->data() + 16));
    if (make_refresh_token(session->id, generation) != token) co_return token_refused();
    reuse = Revocation{0, session->user, session->id, std::nullopt};
    co_await AuthStore::revoke(tx, *reuse, now);
    co_await AuthStore::audit(tx, now, session->user, session->id, "refresh_token_reused", session->device_name);
    co_return std::optional<SignIn>();
  };
  CO_TRY(std::optional<SignIn> outcome, co_await database::write(db_, body));
  if (reuse) {
    registry_.apply(*reuse);
    core::log_warning("refresh_token_reused", {{"session", core::to_text(*reuse->session)}});
  }
  if (!outcome) co_return token_refused();
  co_return std::move(*outcome);
}

Task<Result<>> AuthService::revoke(Revocation revocation, std::string action) {
  auto body = [&](Transaction& tx) -> Task<Result<>> {
    const Timestamp now = clock_.now();
    co_await AuthStore::revoke(tx, revocation, now);
    co_await AuthStore::audit(tx, now, revocation.user, revocation.session, action, "");
    co_return Result<>();
  };
  CO_CHECK(co_await database::write(db_, body));
  registry_.apply(revocation);
  co_return Result<>();
}

Task<Result<>> AuthService::logout(UserId user, SessionId session) {
  co_return co_await revoke({0, user, session, std::nullopt}, "signed_out");
}

Task<Result<>> AuthService::logout_by_refresh(std::string token) {
  const auto session_id = session_of(token);
  if (!session_id) co_return token_refused();
  const core::Bytes hash = hash_of(token);
  auto find = [&](Transaction& tx) -> Task<Result<Session>> {
    auto session = co_await AuthStore::find_session(tx, *session_id);
    const bool known = session && (core::equal_constant_time(hash, session->refresh_hash) ||
                                   core::equal_constant_time(hash, session->spent_hash));
    if (!known) co_return token_refused();
    co_return std::move(*session);
  };
  CO_TRY(const Session session, co_await database::read(db_, find));
  co_return co_await logout(session.user, session.id);
}

Task<Result<SignIn>> AuthService::change_password(access::Caller caller, std::string current, std::string next) {
  CO_TRY(const User user, co_await find_user(caller.user));
  CO_TRY(const bool correct, co_await hasher_.verify(current, user.password_hash));
  if (!correct) co_return Error(Errc::credentials_invalid, "The current password is wrong.");
  CO_CHECK(check_new_password(next, user.email));
  CO_TRY(const std::string hash, co_await hasher_.hash(next));
  const Revocation revocation{0, user.id, std::nullopt, caller.session};
  auto body = [&](Transaction& tx) -> Task<Result<SignIn>> {
    const Timestamp now = clock_.now();
    auto session = co_await AuthStore::find_session(tx, caller.session);
    const auto before = co_await AuthStore::find_user(tx, user.id);
    if (!session || session->revoked_at || !before || before->password_hash != user.password_hash)
      co_return token_refused();
    co_await AuthStore::set_password(tx, user.id, hash);
    co_await AuthStore::revoke(tx, revocation, now);
    // This session goes on with fresh tokens; its old refresh token is spent without grace.
    session->refresh_generation += 1;
    session->refresh_hash = hash_of(make_refresh_token(session->id, session->refresh_generation));
    session->spent_hash.clear();
    session->spent_at.reset();
    session->last_used_at = now;
    session->expires_at = now + session_lifetime;
    co_await AuthStore::rotate_refresh(tx, *session);
    co_await AuthStore::audit(tx, now, user.id, session->id, "password_changed", "");
    auto changed = co_await AuthStore::find_user(tx, user.id);
    co_return sign_in(std::move(*changed), std::move(*session));
  };
  CO_TRY(SignIn outcome, co_await database::write(db_, body));
  registry_.apply(revocation);
  co_return outcome;
}

Task<Result<>> AuthService::reset_password(std::string email, std::string next) {
  CO_TRY(email, normalise_email(email));
  CO_CHECK(check_new_password(next, email));
  CO_TRY(const std::string hash, co_await hasher_.hash(next));
  auto body = [&](Transaction& tx) -> Task<Result<Revocation>> {
    const auto user = co_await AuthStore::find_user_by_email(tx, email);
    if (!user) co_return Error(Errc::not_found, "There is no account with this e-mail address.");
    const Revocation revocation{0, user->id, std::nullopt, std::nullopt};
    co_await AuthStore::set_password(tx, user->id, hash);
    co_await AuthStore::revoke(tx, revocation, clock_.now());
    co_await AuthStore::audit(tx, clock_.now(), user->id, std::nullopt, "password_reset", "");
    co_return revocation;
  };
  CO_TRY(const Revocation revocation, co_await database::write(db_, body));
  registry_.apply(revocation);
  co_return Result<>();
}

Task<Result<>> AuthService::set_plan(std::string email, std::string plan) {
  CO_TRY(email, normalise_email(email));
  if (!plans_.has(plan)) co_return Error(Errc::invalid_request, "There is no plan named \"" + plan + "\".");
  auto body = [&](Transaction& tx) -> Task<Result<>> {
    const auto user = co_await AuthStore::find_user_by_email(tx, email);
    if (!user) co_return Error(Errc::not_found, "There is no account with this e-mail address.");
    co_await AuthStore::set_plan(tx, user->id, plan);
    co_await AuthStore::audit(tx, clock_.now(), user->id, std::nullopt, "plan_set", plan);
    co_return Result<>();
  };
  co_return co_await database::write(db_, body);
}

Task<Result<User>> AuthService::find_user(UserId id) {
  auto body = [&](Transaction& tx) -> Task<Result<User>> {
    auto user = co_await AuthStore::find_user(tx, id);
    if (!user) co_return Error(Errc::not_found, "The account does not exist any more.");
    co_return std::move(*user);
  };
  co_return co_await database::read(db_, body);
}

Task<Result<std::vector<Session>>> AuthService::sessions(UserId user) {
  auto body = [&](Transaction& tx) -> Task<Result<std::vector<Session>>> {
    co_return co_await AuthStore::live_sessions(tx, user, clock_.now());
  };
  co_return co_await database::read(db_, body);
}

Task<Result<>> AuthService::end_session(access::Caller caller, SessionId session) {
  CO_TRY(const std::vector<Session> live, co_await sessions(caller.user));
  const bool own = std::any_of(live.begin(), live.end(), [&](const Session& s) { return s.id == session; });
  if (!own) co_return Error(Errc::not_found, "There is no such session.");
  co_return co_await revoke({0, caller.user, session, std::nullopt}, "session_ended");
}

Task<Result<>> AuthService::end_other_sessions(access::Caller caller) {
  co_return co_await revoke({0, caller.user, std::nullopt, caller.session}, "other_sessions_ended");
}

Task<Result<>> AuthService::clean() {
  auto body = [&](Transaction& tx) -> Task<Result<>> {
    co_await AuthStore::drop_old(tx, clock_.now() - std::chrono::hours(1));
    co_return Result<>();
  };
  co_return co_await database::write(db_, body);
}

}  // namespace clouddocs::auth
