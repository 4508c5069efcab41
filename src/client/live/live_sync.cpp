// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/live/live_sync.hpp"

#include <algorithm>

#include "core/random.hpp"

namespace clouddocs::client {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds first_retry{1'000};
constexpr milliseconds longest_retry{60'000};
constexpr milliseconds poll_interval{5'000};  // while there is no push; jittered

milliseconds jittered(milliseconds wait) {
  return wait + milliseconds(static_cast<std::int64_t>(core::system_random().next() %
                                                       static_cast<std::uint64_t>(wait.count() + 1)));
}

}  // namespace

void LiveSync::run() {
  changes_.is_everything = true;
  PushListener push(api_, [this] { watcher_.wake(); });
  next_poll_ = Clock::now() + poll_interval;
  while (!is_stopped_) {
    if (is_due(push)) sync(push);
    if (!is_stopped_) wait(push);
  }
}

bool LiveSync::is_due(const PushListener& push) {
  const auto now = Clock::now();
  if (now >= next_rescan_ || now >= next_retry_) changes_.is_everything = true;
  if (is_offline_ && now < next_retry_) return false;
  if (!changes_.is_empty()) return true;
  if (push.is_connected()) {
    const auto head = push.head(core::to_text(engine_.space()));
    return !head.empty() && head != synced_head_ && head != engine_.cursor();
  }
  return now >= next_poll_;
}

void LiveSync::wait(PushListener& push) {
  auto until = std::min(next_rescan_, next_retry_);
  if (!push.is_connected()) until = std::min(until, next_poll_);
  const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
  watcher_.wait(std::clamp(left, milliseconds(0), milliseconds(60'000)), changes_);
  // One save is several events: gather them.
  const auto gathered = Clock::now() + options_.longest_gather;
  while (!changes_.folders.empty() && !is_stopped_ && Clock::now() < gathered) {
    const auto before = Clock::now();
    watcher_.wait(options_.quiet_time, changes_);
    if (Clock::now() - before >= options_.quiet_time) break;
  }
}

void LiveSync::sync(PushListener& push) {
  const auto now = Clock::now();
  auto changes = std::exchange(changes_, {});
  if (changes.is_everything) next_rescan_ = now + options_.rescan_interval;
  next_poll_ = now + jittered(poll_interval);
  synced_head_ = push.head(core::to_text(engine_.space()));
  try {
    const auto outcome = engine_.sync_once(changes.is_everything ? std::nullopt : std::optional(changes.folders));
    push.set_cursor(core::to_text(engine_.space()), engine_.cursor());
    is_offline_ = false;
    report(outcome);
    plan_retry(!outcome.is_equal);
  } catch (const net::NetworkError& error) {
    changes_.folders.merge(changes.folders);
    changes_.is_everything = changes_.is_everything || changes.is_everything;
    is_offline_ = true;
    synced_head_.clear();
    if (options_.on_trouble && !is_stopped_) options_.on_trouble(error.what());
    plan_retry(true);
  }
}

void LiveSync::plan_retry(bool is_needed) {
  retry_wait_ = is_needed ? std::clamp(retry_wait_ * 2, first_retry, longest_retry) : milliseconds(0);
  next_retry_ = is_needed ? Clock::now() + jittered(retry_wait_ / 2) : Time::max();
}

void LiveSync::report(const SyncReport& report) {
  if (options_.on_synced && (report.local_changes > 0 || report.remote_changes > 0 || report.unsynced != reported_))
    options_.on_synced(report);
  if (report.unsynced == reported_) return;
  if (remote_.report(report.unsynced).has_value()) reported_ = report.unsynced;
}

}  // namespace clouddocs::client
