// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/listing_cache.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace clouddocs::storage {
namespace {

std::shared_ptr<const CachedListing> page_of(std::size_t bytes, std::int64_t seq = 1) {
  auto page = std::make_shared<CachedListing>();
  page->seq = seq;
  page->json = std::make_shared<const std::string>(bytes, 'x');
  return page;
}

TEST(ListingCache, FindsWhatWasPutLast) {
  ListingCache cache(10'000);
  EXPECT_EQ(cache.find("a"), nullptr);
  cache.put("a", page_of(100, 1));
  cache.put("a", page_of(100, 2));
  cache.put("b", std::make_shared<CachedListing>());
  ASSERT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(cache.find("a")->seq, 2);
  EXPECT_EQ(cache.find("b")->json, nullptr);
}

TEST(ListingCache, StaysWithinItsLimitAndDropsWhatWasUsedLongestAgo) {
  constexpr std::uint64_t limit = 20'000;
  ListingCache cache(limit);
  cache.put("used", page_of(1'000));
  cache.put("unused", page_of(1'000));
  for (int i = 0; i < 200; ++i) {
    cache.put("filler" + std::to_string(i), page_of(1'000));
    ASSERT_NE(cache.find("used"), nullptr);
    ASSERT_LE(cache.size_bytes(), limit);
  }
  EXPECT_EQ(cache.find("unused"), nullptr);
  EXPECT_NE(cache.find("filler199"), nullptr);
  EXPECT_GT(cache.size_bytes(), limit / 2);
}

TEST(ListingCache, APageOverTheLimitIsNotKeptNorIsWhatItReplaces) {
  ListingCache cache(5'000);
  cache.put("a", page_of(100));
  cache.put("a", page_of(6'000));
  EXPECT_EQ(cache.find("a"), nullptr);
  EXPECT_EQ(cache.size_bytes(), 0U);
}

TEST(ListingCache, IsUsedFromManyThreads) {
  ListingCache cache(30'000);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2'000; ++i) {
        const std::string key = std::to_string((i * 7 + t) % 50);
        const auto page = cache.find(key);
        if (page == nullptr) cache.put(key, page_of(1'000));
      }
    });
  }
  threads.clear();
  EXPECT_LE(cache.size_bytes(), 30'000U);
}

}  // namespace
}  // namespace clouddocs::storage
