// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "bus/cache.hpp"

namespace clouddocs::bus {

struct LocalCacheOptions {
  // What keys, values and their bookkeeping may take together; the least recently used give way.
  std::uint64_t limit_bytes = 16 << 20;
  std::function<std::chrono::steady_clock::time_point()> now = &std::chrono::steady_clock::now;
};

std::unique_ptr<Cache> make_local_cache(LocalCacheOptions options = {});

}  // namespace clouddocs::bus
