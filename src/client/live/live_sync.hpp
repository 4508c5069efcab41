// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "client/engine/sync_engine.hpp"
#include "client/live/push_listener.hpp"
#include "client/live/watcher.hpp"

namespace clouddocs::client {

struct LiveOptions {
  std::chrono::milliseconds rescan_interval{600'000};
  std::chrono::milliseconds quiet_time{50};    // local changes are taken up when nothing has happened for so long,
  std::chrono::milliseconds longest_gather{500};  // or after this at the latest
  std::function<void(const SyncReport&)> on_synced;        // something was done
  std::function<void(const std::string&)> on_trouble;      // for a person; it goes on trying
};

// Syncs whenever something changes here (inotify, and a look at everything now and then) or on the server (push, or polling while there is none),
// until stopped. stop() may be called from any thread and from signal handlers.
class LiveSync {
 public:
  LiveSync(SyncEngine& engine, ApiClient& api, Remote& remote, Watcher& watcher, LiveOptions options)
      : engine_(engine), api_(api), remote_(remote), watcher_(watcher), options_(std::move(options)) {}
  // Throws NotSignedIn, SyncRefused.
  void run();
  void stop() {
    is_stopped_ = true;
    watcher_.wake();
  }

 private:
  using Time = std::chrono::steady_clock::time_point;
  bool is_due(const PushListener& push);
  void wait(PushListener& push);
  void sync(PushListener& push);
  void plan_retry(bool is_needed);
  void report(const SyncReport& report);

  SyncEngine& engine_;
  ApiClient& api_;
  Remote& remote_;
  Watcher& watcher_;
  LiveOptions options_;
  std::atomic<bool> is_stopped_ = false;
  Watcher::Changes changes_;
  std::vector<Unsynced> reported_;
  Time next_rescan_{};
  Time next_poll_{};
  Time next_retry_ = Time::max();
  std::chrono::milliseconds retry_wait_{0};
  bool is_offline_ = false;
  std::string synced_head_;  // the head that the last sync was told of
};

}  // namespace clouddocs::client
