// SPDX-License-Identifier: AGPL-3.0-or-later
#include "bus/local/local_queue.hpp"

#include "bus/queue_contract.hpp"

namespace clouddocs::bus {
namespace {

class LocalQueueUnderTest final : public QueueUnderTest {
 public:
  explicit LocalQueueUnderTest(QueueLimits limits)
      : queue_(make_local_queue(
            {.limit = limits.limit, .max_attempts = limits.max_attempts, .now = [this] { return now_; }})) {}
  JobQueue& queue() override { return *queue_; }
  void let_pass(std::chrono::milliseconds duration) override { now_ += duration; }

 private:
  std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
  std::unique_ptr<JobQueue> queue_;
};

std::unique_ptr<QueueUnderTest> make_under_test(QueueLimits limits) {
  return std::make_unique<LocalQueueUnderTest>(limits);
}
INSTANTIATE_TEST_SUITE_P(Local, QueueContract, ::testing::Values(MakeQueueUnderTest(make_under_test)));

TEST(LocalQueue, KeepsTheNewestDeadLetters) {
  const auto queue = make_local_queue({.max_attempts = 1, .dead_letter_limit = 2});
  run([&]() -> Task<> {
    for (const auto* payload : {"1", "2", "3"}) {
      co_await queue->enqueue("scan", payload);
      const auto job = co_await queue->claim("scan", 1h);
      co_await queue->fail(job.value(), "failed", 0ms);
    }
    const auto letters = co_await queue->dead_letters("scan", 10);
    EXPECT_EQ(letters.size(), 2U);
    EXPECT_EQ(letters.front().payload, "3");
  });
}

}  // namespace
}  // namespace clouddocs::bus
