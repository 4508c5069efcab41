// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/clock.hpp"

namespace clouddocs::core {
namespace {

class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace clouddocs::core
