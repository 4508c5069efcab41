// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>

#include "bus/cache.hpp"
#include "testing/run.hpp"

// What every Cache keeps. An implementation's test file says
//   INSTANTIATE_TEST_SUITE_P(Local, CacheContract, testing::Values(MakeCacheUnderTest(...)));
namespace clouddocs::bus {

using namespace std::chrono_literals;
using core::Task;
using testing::run;
using testing::run_all;

class CacheUnderTest {
 public:
  virtual ~CacheUnderTest() = default;
  virtual Cache& cache() = 0;
  // Time passes for the cache: by waiting, or by a clock that is set.
  virtual void let_pass(std::chrono::milliseconds duration) = 0;
};
using MakeCacheUnderTest = std::function<std::unique_ptr<CacheUnderTest>()>;

class CacheContract : public ::testing::TestWithParam<MakeCacheUnderTest> {
 protected:
  Cache& cache() { return under_test_->cache(); }
  void let_pass(std::chrono::milliseconds duration) { under_test_->let_pass(duration); }

 private:
  std::unique_ptr<CacheUnderTest> under_test_ = GetParam()();
};

TEST_P(CacheContract, KeepsAndReplacesValues) {
  run([&]() -> Task<> {
    const std::string binary("\0\xFF value", 8);
    EXPECT_EQ(co_await cache().get("key"), std::nullopt);
    co_await cache().set("key", "first", 1h);
    co_await cache().set("key", binary, 1h);
    co_await cache().set("empty", "", 1h);
    EXPECT_EQ(co_await cache().get("key"), binary);
    EXPECT_EQ(co_await cache().get("empty"), "");
  });
}

TEST_P(CacheContract, RemovesValues) {
  run([&]() -> Task<> {
    co_await cache().set("key", "value", 1h);
    co_await cache().remove("key");
    co_await cache().remove("never there");
    EXPECT_EQ(co_await cache().get("key"), std::nullopt);
  });
}

TEST_P(CacheContract, ForgetsWhenTheTimeIsOver) {
  run([&]() -> Task<> {
    co_await cache().set("short", "value", 200ms);
    co_await cache().set("long", "value", 1h);
    co_await cache().set("none", "value", 0ms);
    EXPECT_EQ(co_await cache().get("short"), "value");
    EXPECT_EQ(co_await cache().get("none"), std::nullopt);
    let_pass(300ms);
    EXPECT_EQ(co_await cache().get("short"), std::nullopt);
    EXPECT_EQ(co_await cache().get("long"), "value");
  });
}

TEST_P(CacheContract, CountsInFixedWindows) {
  run([&]() -> Task<> {
    EXPECT_EQ(co_await cache().increment("count", 1, 600ms), 1);
    let_pass(400ms);
    EXPECT_EQ(co_await cache().increment("count", 5, 600ms), 6);
    EXPECT_EQ(co_await cache().increment("count", -2, 600ms), 4);
    let_pass(400ms);  // 800 ms after the first, 400 ms after the last
    EXPECT_EQ(co_await cache().increment("count", 1, 600ms), 1);
  });
}

TEST_P(CacheContract, ConcurrentIncrementsAllCount) {
  const auto count = [&]() -> Task<> {
    for (int i = 0; i < 100; ++i) co_await cache().increment("count", 1, 1h);
  };
  std::vector<Task<>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(count());
  run_all(std::move(tasks), 4);
  EXPECT_EQ(run(cache().increment("count", 0, 1h)), 2000);
}

}  // namespace clouddocs::bus
