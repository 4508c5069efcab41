// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/task.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "core/error.hpp"
#include "core/task_group.hpp"

namespace clouddocs::core {
namespace {

using namespace std::chrono_literals;

template <class T>
T run(Task<T> task) {
  asio::io_context context;
  auto future = asio::co_spawn(context, std::move(task), asio::use_future);
  context.run();
  return future.get();
}

TEST(Task, BlockingRunsElsewhereAndReturnsHere) {
  asio::thread_pool pool(1);
  auto body = [&]() -> Task<bool> {
    const auto here = std::this_thread::get_id();
    const auto there = co_await blocking(pool, [] { return std::this_thread::get_id(); });
    co_return (here != there) && (here == std::this_thread::get_id());
  };
  EXPECT_TRUE(run(body()));
}

TEST(Task, TimeoutCancelsTheTaskAndRunsItsDestructors) {
  bool destroyed = false;
  struct Guard {
    bool& flag;
    ~Guard() { flag = true; }
  };
  auto slow = [&]() -> Task<> {
    const Guard guard{destroyed};
    co_await sleep_for(1h);
  };
  EXPECT_THROW(run(with_timeout(slow(), 5ms)), TimeoutError);
  EXPECT_TRUE(destroyed);
}

TEST(Task, TimeoutPassesValueAndException) {
  auto value = []() -> Task<int> { co_return 7; };
  EXPECT_EQ(run(with_timeout(value(), 1h)), 7);
  auto failing = []() -> Task<int> {
    throw std::logic_error("x");
    co_return 0;
  };
  EXPECT_THROW(run(with_timeout(failing(), 1h)), std::logic_error);
}

TEST(Companion, RunsBesideItsOwnerUntilJoined) {
  asio::thread_pool pool(1);
  std::string order;
  auto body = [&]() -> Task<> {
    auto work = [&]() -> Task<> {
      co_await blocking(pool, [] {});
      order += "work ";
    };
    Companion companion(co_await asio::this_coro::executor, work());
    order += "owner ";
    co_await companion.join();
    co_await companion.join();
    order += "joined";
  };
  run(body());
  EXPECT_EQ(order, "owner work joined");
}

TEST(Companion, JoinThrowsWhatTheTaskThrew) {
  auto body = []() -> Task<> {
    auto failing = []() -> Task<> {
      throw std::logic_error("x");
      co_return;
    };
    Companion companion(co_await asio::this_coro::executor, failing());
    co_await sleep_for(1ms);
    co_await companion.join();
  };
  EXPECT_THROW(run(body()), std::logic_error);
}

TEST(Companion, GoesOnWhenItsOwnerIsGone) {
  auto done = std::make_shared<bool>(false);
  auto body = [&]() -> Task<> {
    auto work = [](std::shared_ptr<bool> flag) -> Task<> {
      co_await sleep_for(1ms);
      *flag = true;
    };
    const Companion companion(co_await asio::this_coro::executor, work(done));
  };
  run(body());
  EXPECT_TRUE(*done);
}

TEST(Companion, OutlivesTheEventLoopOnceItIsDone) {
  std::optional<Companion> companion;
  auto body = [&]() -> Task<> {
    auto work = []() -> Task<> { co_await sleep_for(1ms); };
    companion.emplace(co_await asio::this_coro::executor, work());
  };
  run(body());
  companion.reset();
}

TEST(Companion, AWaitThatIsCancelledEnds) {
  auto body = []() -> Task<> {
    auto slow = []() -> Task<> { co_await sleep_for(1s); };
    Companion companion(co_await asio::this_coro::executor, slow());
    co_await companion.join();
  };
  EXPECT_THROW(run(with_timeout(body(), 5ms)), TimeoutError);
}

TEST(TaskGroup, StopEndsEveryTaskAndJoinWaitsForThem) {
  asio::thread_pool pool(1);
  TaskGroup group;
  auto forever = []() -> Task<> { co_await sleep_for(1h); };
  for (int i = 0; i < 10; ++i) group.spawn(pool.get_executor(), "sleeper", forever());
  EXPECT_EQ(group.size(), 10U);
  group.stop();
  group.join();
  EXPECT_EQ(group.size(), 0U);
}

Result<int> half(int n) {
  if (n % 2 != 0) return Error(Errc::invalid_request, "odd");
  return n / 2;
}

Result<int> quarter(int n) {
  TRY(const int h, half(n));
  TRY(const int q, half(h));
  return q;
}

TEST(Result, TryPropagatesTheFirstError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().code, Errc::invalid_request);
  EXPECT_THROW(quarter(3).value(), ErrorException);
}

}  // namespace
}  // namespace clouddocs::core
