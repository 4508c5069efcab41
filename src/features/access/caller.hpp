// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <string>

#include "core/ids.hpp"

namespace clouddocs::access {

// On whose behalf something is done: an authenticated session.
struct Caller {
  core::UserId user;
  core::SessionId session;
  core::SpaceId personal_space;
  std::string device_name;
  std::string role;
};

}  // namespace clouddocs::access
