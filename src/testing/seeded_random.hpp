// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <random>

#include "core/random.hpp"

namespace clouddocs::testing {

// Randomness that a seed repeats. A failure within its lifetime prints the seed. Made and destroyed on the thread of the test;
// fill() is thread-safe.
class SeededRandom final : public core::Random {
 public:
  // The seed is CLOUDDOCS_TEST_SEED if that is set, else drawn anew.
  SeededRandom();
  explicit SeededRandom(std::uint64_t seed);
  void fill(std::span<std::byte> out) override;
  // Uniform in [0, limit). REQUIRES: limit > 0.
  std::uint64_t below(std::uint64_t limit);
  std::uint64_t seed() const { return seed_; }

 private:
  const std::uint64_t seed_;
  ::testing::ScopedTrace trace_;
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace clouddocs::testing
