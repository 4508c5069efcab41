// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/auth/session_registry.hpp"

#include "core/log.hpp"

namespace clouddocs::auth {
namespace {

using core::Errc;
using core::Error;
using namespace std::chrono_literals;

constexpr auto poll_interval = 400ms;
constexpr auto fail_closed_after = 10s;

constexpr database::Statement personal_space{"space_personal",
                                             "SELECT id FROM spaces WHERE owner_id = $1 AND kind = 'personal'"};

Error ended() { return {Errc::token_invalid, "This session has ended. Sign in again."}; }

}  // namespace

Task<core::Result<SessionRegistry::Entry>> SessionRegistry::find(UserId user, SessionId session, std::int64_t epoch) {
  if (std::chrono::steady_clock::now() - read_at_.load() > fail_closed_after) {
    co_return Error(Errc::unavailable, "The server cannot check sessions at this moment. Try again in a few seconds.");
  }
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(session);
    if (known != entries_.end() && !known->second.stale) {
      if (known->second.caller.user != user || known->second.epoch != epoch || known->second.revoked->load())
        co_return ended();
      co_return known->second;
    }
  }
  // From here on every revocation is noticed: those before are in the rows, those after are read by poll().
  if (last_read_.load() < 0) CO_CHECK(co_await read_new());
  for (int attempt = 0; attempt < 5; ++attempt) {
    const auto seen = last_read_.load();
    CO_TRY(Entry entry, co_await read_entry(user, session, epoch));
    const std::lock_guard lock(mutex_);
    // A revocation that was applied while the row was being read must not be forgotten.
    if (seen != last_read_.load()) continue;
    make_room();
    const auto [place, is_new] = entries_.try_emplace(session, entry);
    if (!is_new) {
      entry.revoked = place->second.revoked;
      place->second = entry;
    }
    co_return entry;
  }
  co_return Error(Errc::unavailable, "Too many sessions end at this moment. Try again in a few seconds.");
}

Task<core::Result<SessionRegistry::Entry>> SessionRegistry::read_entry(UserId user, SessionId session,
                                                                       std::int64_t epoch) {
  auto body = [&](Transaction& tx) -> Task<core::Result<Entry>> {
    const auto found = co_await AuthStore::find_session(tx, session);
    if (!found || found->revoked_at || found->user != user) co_return ended();
    const auto account = co_await AuthStore::find_user(tx, user);
    if (!account || account->disabled || account->token_epoch != epoch) co_return ended();
    const auto space = co_await tx.execute(personal_space, user);
    Entry entry;
    entry.caller.user = user;
    entry.caller.session = session;
    entry.caller.device_name = found->device_name;
    entry.caller.role = account->role;
    if (!space.empty()) entry.caller.personal_space = space.front().id<core::SpaceId>(0);
    entry.epoch = epoch;
    co_return entry;
  };
  co_return co_await database::read(db_, body);
}

// Drops what no request or socket holds any more: a revocation must reach those that do.
void SessionRegistry::make_room() {
  if (entries_.size() < max_entries) return;
  std::erase_if(entries_, [](const auto& entry) { return entry.second.revoked.use_count() == 1; });
}

void SessionRegistry::apply(const Revocation& revocation) {
  std::vector<SessionId> ended_here;
  std::vector<Listener> listeners;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end();) {
      const bool hit = revocation.session ? it->first == *revocation.session
                                          : it->second.caller.user == revocation.user && it->first != revocation.except;
      if (hit) {
        it->second.revoked->store(true);
        ended_here.push_back(it->first);
      }
      // The session that stays gets a new epoch: it is read anew.
      if (!revocation.session && it->first == revocation.except) it->second.stale = true;
      it = hit ? entries_.erase(it) : std::next(it);
    }
    if (revocation.id > last_read_.load()) last_read_ = revocation.id;
    listeners = listeners_;
  }
  for (const auto& id : ended_here) {
    for (const auto& listener : listeners) listener(id);
  }
}

void SessionRegistry::add_listener(Listener listener) {
  const std::lock_guard lock(mutex_);
  listeners_.push_back(std::move(listener));
}

Task<core::Result<>> SessionRegistry::read_new() {
  const auto after = last_read_.load();
  auto body = [&](Transaction& tx) -> Task<core::Result<std::vector<Revocation>>> {
    if (after < 0) {
      Revocation newest;
      newest.id = co_await AuthStore::newest_revocation(tx);
      co_return std::vector<Revocation>{newest};
    }
    co_return co_await AuthStore::revocations_after(tx, after);
  };
  CO_TRY(const std::vector<Revocation> found, co_await database::read(db_, body));
  for (const auto& revocation : found) apply(revocation);
  read_at_ = std::chrono::steady_clock::now();
  co_return core::Result<>();
}

Task<> SessionRegistry::poll() {
  for (;;) {
    try {
      auto outcome = co_await read_new();
      if (outcome.has_error()) core::log_warning("revocations_unread", {{"error", outcome.error().detail}});
    } catch (const database::DatabaseError& error) {
      core::log_warning("revocations_unread", {{"error", std::string(error.what())}});
    }
    co_await core::sleep_for(poll_interval);
  }
}

}  // namespace clouddocs::auth
