// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/random.hpp"

#include <openssl/rand.h>

#include <array>
#include <stdexcept>

namespace clouddocs::core {
namespace {

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) != 1) {
      throw std::runtime_error("the system's random generator failed");
    }
  }
};

}  // namespace

std::uint64_t Random::next() {
  std::array<std::byte, 8> bytes{};
  fill(bytes);
  return load_little_endian<std::uint64_t>(bytes.data());
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace clouddocs::core
