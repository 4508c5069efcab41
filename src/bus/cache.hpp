// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/task.hpp"

namespace clouddocs::bus {

// SEAM 3b. A shared cache with expiry. Anything may vanish at any time. Thread-safe.
// Implementations: local/ (later redis/); all pass cache_contract.hpp.
class Cache {
 public:
  virtual ~Cache() = default;
  virtual core::Task<std::optional<std::string>> get(std::string key) = 0;
  // Without effect when `ttl` is not positive.
  virtual core::Task<> set(std::string key, std::string value, std::chrono::milliseconds ttl) = 0;
  virtual core::Task<> remove(std::string key) = 0;
  // Adds to a counter and returns the new value; `ttl` counts from the first increment (fixed window). REQUIRES: the key
  // is not used with set().
  virtual core::Task<std::int64_t> increment(std::string key, std::int64_t by, std::chrono::milliseconds ttl) = 0;
};

}  // namespace clouddocs::bus
