// SPDX-License-Identifier: AGPL-3.0-or-later
#include "bus/local/local_queue.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>

#include "core/log.hpp"

namespace clouddocs::bus {
namespace {

using core::Errc;
using core::Result;
using core::Task;
using TimePoint = std::chrono::steady_clock::time_point;
using Job = JobQueue::Job;

struct Running {
  Job job;
  TimePoint lease_end;
};

struct Kind {
  std::multimap<TimePoint, Job> waiting;  // by when they are due; equal times in order of arrival
  std::unordered_map<std::string, Running> running;
  std::deque<Job> dead;  // the newest first
};

class LocalQueue final : public JobQueue {
 public:
  explicit LocalQueue(LocalQueueOptions options) : options_(std::move(options)) {}

  Task<Result<std::string>> enqueue(std::string kind, std::string payload, std::chrono::milliseconds delay) override {
    const std::lock_guard lock(mutex_);
    if (size_ >= options_.limit)
      co_return core::Error(Errc::unavailable, "Too many background jobs are waiting; try again later.");
    ++size_;
    Job job{.id = std::to_string(++last_id_), .kind = kind, .payload = std::move(payload)};
    const std::string id = job.id;
    job.attempt = 0;
    kinds_[kind].waiting.emplace(options_.now() + delay, std::move(job));
    co_return id;
  }

  Task<std::optional<Job>> claim(std::string kind, std::chrono::milliseconds lease) override {
    const std::lock_guard lock(mutex_);
    const auto found = kinds_.find(kind);
    if (found == kinds_.end()) co_return std::nullopt;
    auto& [waiting, running, dead] = found->second;
    const auto now = options_.now();
    take_back_expired(found->second, now);
    if (waiting.empty() || waiting.begin()->first > now) co_return std::nullopt;
    Job job = std::move(waiting.extract(waiting.begin()).mapped());
    ++job.attempt;
    running.emplace(job.id, Running{job, now + lease});
    co_return job;
  }

  Task<> complete(Job job) override {
    const std::lock_guard lock(mutex_);
    if (take_running(job)) --size_;
    co_return;
  }

  Task<> fail(Job job, std::string reason, std::chrono::milliseconds delay) override {
    const std::lock_guard lock(mutex_);
    auto taken = take_running(job);
    if (taken) give_back(kinds_[job.kind], std::move(*taken), std::move(reason), options_.now() + delay);
    co_return;
  }

  Task<std::vector<Job>> dead_letters(std::string kind, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<Job> letters;
    if (const auto found = kinds_.find(kind); found != kinds_.end()) {
      const auto& dead = found->second.dead;
      letters.assign(dead.begin(), dead.begin() + static_cast<std::ptrdiff_t>(std::min(limit, dead.size())));
    }
    co_return letters;
  }

 private:
  // All REQUIRE: locked.

  // The running job, if `job` still holds its lease: each claim raises the attempt.
  std::optional<Job> take_running(const Job& job) {
    const auto kind = kinds_.find(job.kind);
    if (kind == kinds_.end()) return std::nullopt;
    auto& running = kind->second.running;
    const auto found = running.find(job.id);
    if (found == running.end() || found->second.job.attempt != job.attempt) return std::nullopt;
    auto taken = std::move(found->second.job);
    running.erase(found);
    return taken;
  }

  void give_back(Kind& kind, Job job, std::string reason, TimePoint due) {
    job.failure = std::move(reason);
    if (job.attempt < options_.max_attempts) {
      kind.waiting.emplace(due, std::move(job));
      return;
    }
    core::log_error("job_given_up", {{"kind", job.kind}, {"job", job.id}, {"reason", job.failure}});
    --size_;
    kind.dead.push_front(std::move(job));
    if (kind.dead.size() > options_.dead_letter_limit) kind.dead.pop_back();
  }

  // Those that run are few: as many as there are workers.
  void take_back_expired(Kind& kind, TimePoint now) {
    for (auto entry = kind.running.begin(); entry != kind.running.end();) {
      if (entry->second.lease_end > now) {
        ++entry;
        continue;
      }
      give_back(kind, std::move(entry->second.job), "the lease ran out", entry->second.lease_end);
      entry = kind.running.erase(entry);
    }
  }

  const LocalQueueOptions options_;
  std::mutex mutex_;
  std::map<std::string, Kind> kinds_;
  std::size_t size_ = 0;
  std::uint64_t last_id_ = 0;
};

}  // namespace

std::unique_ptr<JobQueue> make_local_queue(LocalQueueOptions options) {
  return std::make_unique<LocalQueue>(std::move(options));
}

}  // namespace clouddocs::bus
