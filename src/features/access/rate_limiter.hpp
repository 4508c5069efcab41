// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <chrono>
#include <string>

#include "bus/cache.hpp"
#include "core/error.hpp"
#include "core/task.hpp"

namespace clouddocs::access {

struct RateLimits {
  std::int64_t anonymous_per_minute = 100;   // per address, requests without a valid token
  std::int64_t session_per_minute = 6'000;   // per session
  std::int64_t failed_logins = 20;           // per account, in 15 minutes
};

// Counts requests in fixed windows, in the cache that all nodes share. A cache that is away limits nothing: it must not lock people out.
// Thread-safe.
class RateLimiter {
 public:
  RateLimiter(bus::Cache& cache, const RateLimits& limits) : cache_(cache), limits_(limits) {}
  // Errors of all: too_many_requests.
  core::Task<core::Result<>> admit_address(std::string address);
  core::Task<core::Result<>> admit_session(std::string session);
  // Before a password is tried; failed() after it was wrong.
  core::Task<core::Result<>> admit_login(std::string account);
  core::Task<> failed_login(std::string account);

 private:
  bus::Cache& cache_;
  RateLimits limits_;
};

}  // namespace clouddocs::access
