// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>

#include "core/bytes.hpp"

namespace clouddocs::core {

// Where logic gets randomness from, so that the simulator can seed it. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;
  std::uint64_t next();
};

// The operating system's cryptographic generator.
Random& system_random();

}  // namespace clouddocs::core
