// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "bus/queue.hpp"
#include "testing/run.hpp"

// What every JobQueue keeps. An implementation's test file says
//   INSTANTIATE_TEST_SUITE_P(Local, QueueContract, testing::Values(MakeQueueUnderTest(...)));
namespace clouddocs::bus {

using namespace std::chrono_literals;
using core::Task;
using testing::run;
using testing::run_all;

// A new, empty queue.
class QueueUnderTest {
 public:
  virtual ~QueueUnderTest() = default;
  virtual JobQueue& queue() = 0;
  // Time passes for the queue: by waiting, or by a clock that is set.
  virtual void let_pass(std::chrono::milliseconds duration) = 0;
};
struct QueueLimits {
  std::size_t limit = 1000;
  int max_attempts = 3;
};
using MakeQueueUnderTest = std::function<std::unique_ptr<QueueUnderTest>(QueueLimits)>;

class QueueContract : public ::testing::TestWithParam<MakeQueueUnderTest> {
 protected:
  JobQueue& queue() { return under_test_->queue(); }
  void let_pass(std::chrono::milliseconds duration) { under_test_->let_pass(duration); }
  void limit(QueueLimits limits) { under_test_ = GetParam()(limits); }

 private:
  std::unique_ptr<QueueUnderTest> under_test_ = GetParam()({});
};

TEST_P(QueueContract, GivesJobsOutInOrderAndOnce) {
  run([&]() -> Task<> {
    const auto first = co_await queue().enqueue("scan", "one");
    const auto second = co_await queue().enqueue("scan", "two");
    co_await queue().enqueue("thumbnail", "three");
    EXPECT_NE(first.value(), second.value());
    auto job = co_await queue().claim("scan", 1h);
    EXPECT_EQ(job.value().payload, "one");
    EXPECT_EQ(job.value().id, first.value());
    EXPECT_EQ(job.value().kind, "scan");
    EXPECT_EQ(job.value().attempt, 1);
    job = co_await queue().claim("scan", 1h);
    EXPECT_EQ(job.value().payload, "two");
    EXPECT_FALSE(co_await queue().claim("scan", 1h));
    EXPECT_FALSE(co_await queue().claim("unknown", 1h));
  });
}

TEST_P(QueueContract, CompletedJobsAreGone) {
  run([&]() -> Task<> {
    co_await queue().enqueue("scan", "one");
    const auto job = co_await queue().claim("scan", 200ms);
    co_await queue().complete(job.value());
    let_pass(300ms);
    EXPECT_FALSE(co_await queue().claim("scan", 1h));
  });
}

TEST_P(QueueContract, DelayedJobsWait) {
  run([&]() -> Task<> {
    co_await queue().enqueue("scan", "later", 500ms);
    co_await queue().enqueue("scan", "now");
    auto job = co_await queue().claim("scan", 1h);
    EXPECT_EQ(job.value().payload, "now");
    EXPECT_FALSE(co_await queue().claim("scan", 1h));
    let_pass(600ms);
    job = co_await queue().claim("scan", 1h);
    EXPECT_EQ(job.value().payload, "later");
  });
}

TEST_P(QueueContract, AJobWhoseLeaseRanOutIsGivenOutAgain) {
  run([&]() -> Task<> {
    co_await queue().enqueue("scan", "one");
    const auto lost = co_await queue().claim("scan", 200ms);
    let_pass(300ms);
    const auto again = co_await queue().claim("scan", 1h);
    EXPECT_EQ(again.value().id, lost.value().id);
    EXPECT_EQ(again.value().attempt, 2);
    EXPECT_FALSE(again.value().failure.empty());
    // The first worker comes back late: it does not take the job from the second.
    co_await queue().complete(lost.value());
    co_await queue().fail(lost.value(), "late", 0ms);
    EXPECT_FALSE(co_await queue().claim("scan", 1h));
    co_await queue().fail(again.value(), "failed", 0ms);
    const auto third = co_await queue().claim("scan", 1h);
    EXPECT_EQ(third.value().attempt, 3);
  });
}

TEST_P(QueueContract, FailedJobsComeBackAfterTheirDelay) {
  run([&]() -> Task<> {
    co_await queue().enqueue("scan", "one");
    const auto job = co_await queue().claim("scan", 1h);
    co_await queue().fail(job.value(), "disk full", 300ms);
    EXPECT_FALSE(co_await queue().claim("scan", 1h));
    let_pass(400ms);
    const auto again = co_await queue().claim("scan", 1h);
    EXPECT_EQ(again.value().attempt, 2);
    EXPECT_EQ(again.value().payload, "one");
    EXPECT_EQ(again.value().failure, "disk full");
  });
}

TEST_P(QueueContract, AJobThatKeepsFailingBecomesADeadLetter) {
  run([&]() -> Task<> {
    for (const auto* payload : {"one", "two"}) {
      co_await queue().enqueue("scan", payload);
      for (int i = 1; i <= 3; ++i) {
        const auto job = co_await queue().claim("scan", 1h);
        EXPECT_EQ(job.value().attempt, i);
        co_await queue().fail(job.value(), "attempt " + std::to_string(i), 0ms);
      }
    }
    EXPECT_FALSE(co_await queue().claim("scan", 1h));
    const auto letters = co_await queue().dead_letters("scan", 10);
    EXPECT_EQ(letters.size(), 2U);
    EXPECT_EQ(letters[0].payload, "two");
    EXPECT_EQ(letters[1].failure, "attempt 3");
    EXPECT_EQ((co_await queue().dead_letters("scan", 1)).size(), 1U);
    EXPECT_TRUE((co_await queue().dead_letters("other", 1)).empty());
  });
}

TEST_P(QueueContract, AWorkerThatDiesEachTimeMakesADeadLetterToo) {
  run([&]() -> Task<> {
    co_await queue().enqueue("scan", "poison");
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(co_await queue().claim("scan", 200ms));
      let_pass(300ms);
    }
    EXPECT_FALSE(co_await queue().claim("scan", 1h));
    EXPECT_EQ((co_await queue().dead_letters("scan", 10)).size(), 1U);
  });
}

TEST_P(QueueContract, RefusesMoreThanItsLimit) {
  limit({.limit = 3});
  run([&]() -> Task<> {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(co_await queue().enqueue("scan", "x"));
    const auto refused = co_await queue().enqueue("scan", "x");
    EXPECT_TRUE(refused.has_error() && refused.error().code == core::Errc::unavailable);
    const auto job = co_await queue().claim("scan", 1h);
    const auto still_refused = co_await queue().enqueue("scan", "x");
    EXPECT_TRUE(still_refused.has_error());
    co_await queue().complete(job.value());
    EXPECT_TRUE(co_await queue().enqueue("scan", "x"));
  });
}

TEST_P(QueueContract, ConcurrentWorkersNeverShareAJob) {
  std::mutex mutex;
  std::multiset<std::string> done;
  const auto work = [&]() -> Task<> {
    while (auto job = co_await queue().claim("scan", 1h)) {
      {
        const std::lock_guard lock(mutex);
        done.insert(job->payload);
      }
      co_await queue().complete(std::move(*job));
    }
  };
  run([&]() -> Task<> {
    for (int i = 0; i < 500; ++i) co_await queue().enqueue("scan", std::to_string(i));
  });
  std::vector<Task<>> workers;
  for (int i = 0; i < 8; ++i) workers.push_back(work());
  run_all(std::move(workers), 4);
  EXPECT_EQ(done.size(), 500U);
  EXPECT_EQ(std::set<std::string>(done.begin(), done.end()).size(), 500U);
}

}  // namespace clouddocs::bus
