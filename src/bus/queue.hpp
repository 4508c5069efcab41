// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/task.hpp"

namespace clouddocs::bus {

// SEAM 3c. Background jobs, each given to one worker at a time under a lease; a job whose lease runs out is given out again, so work must be
// idempotent. After `max_attempts` it becomes a dead letter. Thread-safe. Implementations: local/ (later redis/); all pass queue_contract.hpp.
class JobQueue {
 public:
  struct Job {
    std::string id;
    std::string kind;
    std::string payload;
    int attempt = 1;
    std::string failure{};  // why the attempt before failed, empty for none
  };

  virtual ~JobQueue() = default;
  // Errors: unavailable (the queue is at its limit).
  virtual core::Task<core::Result<std::string>> enqueue(std::string kind, std::string payload,
                                                        std::chrono::milliseconds delay = {}) = 0;
  // The next job of this kind, or nullopt when there is none.
  virtual core::Task<std::optional<Job>> claim(std::string kind, std::chrono::milliseconds lease) = 0;
  // Ends a job. Without effect when its lease has gone to someone else; the same holds for fail().
  virtual core::Task<> complete(Job job) = 0;
  // Gives a job back to be tried again after `delay`.
  virtual core::Task<> fail(Job job, std::string reason, std::chrono::milliseconds delay) = 0;
  // The newest first. Kept for people to look at; how many, and for how long, is the implementation's choice.
  virtual core::Task<std::vector<Job>> dead_letters(std::string kind, std::size_t limit) = 0;
};

}  // namespace clouddocs::bus
