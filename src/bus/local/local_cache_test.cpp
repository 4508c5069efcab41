// SPDX-License-Identifier: AGPL-3.0-or-later
#include "bus/local/local_cache.hpp"

#include "bus/cache_contract.hpp"

namespace clouddocs::bus {
namespace {

class LocalCacheUnderTest final : public CacheUnderTest {
 public:
  Cache& cache() override { return *cache_; }
  void let_pass(std::chrono::milliseconds duration) override { now_ += duration; }

 private:
  std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
  std::unique_ptr<Cache> cache_ = make_local_cache({.now = [this] { return now_; }});
};

std::unique_ptr<CacheUnderTest> make_under_test() { return std::make_unique<LocalCacheUnderTest>(); }
INSTANTIATE_TEST_SUITE_P(Local, CacheContract, ::testing::Values(MakeCacheUnderTest(make_under_test)));

TEST(LocalCache, DropsTheLeastRecentlyUsedWhenFull) {
  const auto cache = make_local_cache({.limit_bytes = 1 << 20});
  run([&]() -> Task<> {
    co_await cache->set("used", "value", 1h);
    co_await cache->set("unused", "value", 1h);
    int present = 0;
    for (int i = 0; i < 5000; ++i) {
      co_await cache->set("filler" + std::to_string(i), std::string(500, 'x'), 1h);
      EXPECT_EQ(co_await cache->get("used"), "value");
    }
    for (int i = 0; i < 5000; ++i) {
      const auto filler = co_await cache->get("filler" + std::to_string(i));
      if (filler) ++present;
    }
    EXPECT_EQ(co_await cache->get("unused"), std::nullopt);
    EXPECT_GT(present, 1000);
    EXPECT_LT(present, (1 << 20) / 500);
  });
}

TEST(LocalCache, DoesNotKeepWhatIsLargerThanItself) {
  const auto cache = make_local_cache({.limit_bytes = 1 << 20});
  run([&]() -> Task<> {
    co_await cache->set("key", "small", 1h);
    co_await cache->set("key", std::string(2 << 20, 'x'), 1h);
    EXPECT_EQ(co_await cache->get("key"), std::nullopt);
  });
}

}  // namespace
}  // namespace clouddocs::bus
