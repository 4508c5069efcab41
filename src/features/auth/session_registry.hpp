// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/task.hpp"
#include "database/database.hpp"
#include "features/access/authentication.hpp"
#include "features/auth/auth_store.hpp"

namespace clouddocs::auth {

// What this node knows of the sessions that use it, so that a request costs no query; kept true by reading the recent revocations from the
// database twice a second (and at once for those made here). When that has not worked for 10 s it fails closed. Thread-safe.
class SessionRegistry {
 public:
  struct Entry {
    access::Caller caller;
    std::int64_t epoch = 0;
    std::shared_ptr<std::atomic<bool>> revoked = std::make_shared<std::atomic<bool>>(false);
    bool stale = false;  // to be read anew; kept, since requests that run hold `revoked`
  };
  // Called with each ended session on an unspecified thread; must not block.
  using Listener = std::function<void(core::SessionId)>;

  explicit SessionRegistry(database::Database& db) : db_(db) {}

  // The session of a verified token. Errors: token_invalid (ended, or of an older epoch, or the account is disabled), unavailable.
  Task<core::Result<Entry>> find(UserId user, SessionId session, std::int64_t epoch);
  // Applies a revocation to what is known here.
  void apply(const Revocation& revocation);
  void add_listener(Listener listener);
  // Reads revocations until cancelled.
  Task<> poll();

 private:
  static constexpr std::size_t max_entries = 200'000;
  Task<core::Result<>> read_new();
  Task<core::Result<Entry>> read_entry(UserId user, SessionId session, std::int64_t epoch);
  void make_room();

  database::Database& db_;
  std::mutex mutex_;
  std::unordered_map<SessionId, Entry> entries_;
  std::vector<Listener> listeners_;
  std::atomic<std::int64_t> last_read_{-1};  // id of the newest revocation that was applied; -1: none read yet
  std::atomic<std::chrono::steady_clock::time_point> read_at_{std::chrono::steady_clock::now()};
};

}  // namespace clouddocs::auth
