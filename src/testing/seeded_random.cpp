// SPDX-License-Identifier: AGPL-3.0-or-later
#include "testing/seeded_random.hpp"

#include <cstdlib>
#include <string>

namespace clouddocs::testing {
namespace {

std::uint64_t choose_seed() {
  const char* const given = std::getenv("CLOUDDOCS_TEST_SEED");
  return given != nullptr ? std::stoull(given) : core::system_random().next();
}

}  // namespace

SeededRandom::SeededRandom() : SeededRandom(choose_seed()) {}

SeededRandom::SeededRandom(std::uint64_t seed)
    : seed_(seed),
      trace_(__FILE__, __LINE__, "repeat with CLOUDDOCS_TEST_SEED=" + std::to_string(seed)),
      engine_(seed) {}

void SeededRandom::fill(std::span<std::byte> out) {
  const std::lock_guard lock(mutex_);
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 == 0) word = engine_();
    out[i] = static_cast<std::byte>(word >> (8 * (i % 8)));
  }
}

std::uint64_t SeededRandom::below(std::uint64_t limit) { return next() % limit; }

}  // namespace clouddocs::testing
