// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "bus/queue.hpp"

namespace clouddocs::bus {

struct LocalQueueOptions {
  // Jobs of all kinds that wait or run.
  std::size_t limit = 10'000;
  int max_attempts = 5;
  // Per kind; the oldest give way.
  std::size_t dead_letter_limit = 100;
  std::function<std::chrono::steady_clock::time_point()> now = &std::chrono::steady_clock::now;
};

// Jobs in memory: they end with the process. Work that must happen is found again by a scan of the database after a start.
std::unique_ptr<JobQueue> make_local_queue(LocalQueueOptions options = {});

}  // namespace clouddocs::bus
