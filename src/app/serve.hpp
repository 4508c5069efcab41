// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "app/config.hpp"

namespace clouddocs::app {

// Runs the server until SIGTERM or SIGINT, then drains it. Returns the exit code.
int serve(const Config& config);

}  // namespace clouddocs::app
