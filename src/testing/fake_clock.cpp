// SPDX-License-Identifier: AGPL-3.0-or-later
#include "testing/fake_clock.hpp"

namespace clouddocs::testing {

core::Timestamp FakeClock::now() const { return core::from_micros(micros_.load()); }
void FakeClock::set(core::Timestamp to) { micros_.store(core::to_micros(to)); }
void FakeClock::advance(std::chrono::microseconds by) { micros_.fetch_add(by.count()); }

}  // namespace clouddocs::testing
