// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>

#include "core/clock.hpp"

namespace clouddocs::testing {

// A clock that stands still until it is told otherwise. Thread-safe.
class FakeClock final : public core::Clock {
 public:
  // 2026-01-01T00:00:00Z.
  static constexpr core::Timestamp default_start{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};

  explicit FakeClock(core::Timestamp start = default_start) : micros_(core::to_micros(start)) {}
  core::Timestamp now() const override;
  void set(core::Timestamp to);
  // Negative durations turn it back.
  void advance(std::chrono::microseconds by);

 private:
  std::atomic<std::int64_t> micros_;
};

}  // namespace clouddocs::testing
