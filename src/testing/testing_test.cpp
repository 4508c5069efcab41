// SPDX-License-Identifier: AGPL-3.0-or-later
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "testing/fake_clock.hpp"
#include "testing/run.hpp"
#include "testing/seeded_random.hpp"
#include "testing/temporary_directory.hpp"

namespace clouddocs::testing {
namespace {

using namespace std::chrono_literals;

TEST(Run, ReturnsTheValueAndRethrows) {
  EXPECT_EQ(run([]() -> core::Task<int> { co_return 7; }), 7);
  const auto failing = []() -> core::Task<int> {
    throw std::logic_error("x");
    co_return 0;
  };
  EXPECT_THROW(run(failing), std::logic_error);
}

TEST(Run, AllRunsEveryTask) {
  std::atomic<int> ended = 0;
  const auto count = [&]() -> core::Task<> {
    co_await core::sleep_for(1ms);
    ++ended;
  };
  std::vector<core::Task<>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(count());
  run_all(std::move(tasks));
  EXPECT_EQ(ended, 20);
}

TEST(TemporaryDirectory, RemovesWhatItHolds) {
  std::filesystem::path path;
  {
    const TemporaryDirectory folder;
    path = folder.path();
    std::ofstream(path / "file") << "text";
    EXPECT_TRUE(std::filesystem::exists(path / "file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(FakeClock, MovesOnlyWhenTold) {
  FakeClock clock;
  const auto start = clock.now();
  EXPECT_EQ(clock.now(), start);
  clock.advance(5s);
  EXPECT_EQ(clock.now(), start + 5s);
  clock.set(start);
  EXPECT_EQ(clock.now(), start);
}

TEST(SeededRandom, RepeatsBySeed) {
  SeededRandom a(1);
  SeededRandom b(1);
  SeededRandom c(2);
  const auto first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
  EXPECT_LT(a.below(10), 10U);
}

TEST(SeededRandom, PrintsItsSeedWhenATestFails) {
  EXPECT_NONFATAL_FAILURE(
      {
        const SeededRandom random(4711);
        EXPECT_TRUE(false);
      },
      "CLOUDDOCS_TEST_SEED=4711");
}

}  // namespace
}  // namespace clouddocs::testing
