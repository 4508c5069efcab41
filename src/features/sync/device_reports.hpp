// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/ids.hpp"

namespace clouddocs::sync {

// What devices say they could not sync, and why; kept in memory and told again by the device when it connects. Thread-safe.
class DeviceReports {
 public:
  struct Unsynced {
    std::string path;
    std::string reason;
  };
  static constexpr std::size_t max_items = 100;

  void set(core::SessionId session, std::vector<Unsynced> items) {
    const std::lock_guard lock(mutex_);
    if (reports_.size() >= max_devices) reports_.clear();
    if (items.empty()) {
      reports_.erase(session);
    } else {
      reports_[session] = std::move(items);
    }
  }
  std::vector<Unsynced> get(core::SessionId session) const {
    const std::lock_guard lock(mutex_);
    const auto found = reports_.find(session);
    return found == reports_.end() ? std::vector<Unsynced>() : found->second;
  }

 private:
  static constexpr std::size_t max_devices = 10'000;
  mutable std::mutex mutex_;
  std::unordered_map<core::SessionId, std::vector<Unsynced>> reports_;
};

}  // namespace clouddocs::sync
