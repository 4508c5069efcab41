// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <functional>

#include "app/config.hpp"

namespace CLI {
class App;
}

namespace clouddocs::app {

using AddCommon = std::function<void(CLI::App&)>;
using LoadConfig = std::function<Config()>;

// Applies migrations and says what the schema is now.
int migrate(const Config& config);
// user add | passwd | plan. They work while the server runs.
void add_user_commands(CLI::App& cli, const AddCommon& add_common, const LoadConfig& load, int& code);
// fsck, gc.
void add_storage_commands(CLI::App& cli, const AddCommon& add_common, const LoadConfig& load, int& code);

}  // namespace clouddocs::app
