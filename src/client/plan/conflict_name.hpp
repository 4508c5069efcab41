// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace clouddocs::client {

// "report (conflict, laptop, 2026-11-23).txt"; with `attempt` 2 or more "report (conflict, laptop, 2026-11-23, 2).txt". Shortens the stem so that
// the name stays within 255 bytes.
std::string conflict_name(std::string_view name, std::string_view device, core::Timestamp when, int attempt);

}  // namespace clouddocs::client
