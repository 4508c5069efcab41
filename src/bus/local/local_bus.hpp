// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <memory>

#include "bus/bus.hpp"

namespace clouddocs::bus {

// The bus of an installation with one node. Handlers run inside publish(): publish while holding no lock that a handler takes.
std::unique_ptr<Bus> make_local_bus();

}  // namespace clouddocs::bus
