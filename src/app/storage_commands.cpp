// SPDX-License-Identifier: AGPL-3.0-or-later
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/commands.hpp"
#include "app/world.hpp"

namespace clouddocs::app {

void add_storage_commands(CLI::App&, const AddCommon&, const LoadConfig&, int&) {}

}  // namespace clouddocs::app
