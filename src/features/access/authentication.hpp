// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "features/access/caller.hpp"
#include "net/http.hpp"

namespace clouddocs::access {

// What the filter in features/auth found out about a request's token; kept in Request::session.
struct Authentication {
  Caller caller;
  core::Timestamp expires_at;
  // Set when the session was revoked: long work and sockets look at it.
  std::shared_ptr<const std::atomic<bool>> revoked;
  std::optional<core::Error> error;  // a token was sent, and is not valid
};

// The authenticated caller. Errors: unauthorized (no token), token_expired, token_invalid.
inline core::Result<std::shared_ptr<const Authentication>> require(const net::Request& request) {
  auto found = std::static_pointer_cast<const Authentication>(request.session);
  if (!found) return core::Error(core::Errc::unauthorized, "Sign in first: the request carries no access token.");
  if (found->error) return *found->error;
  return found;
}

}  // namespace clouddocs::access
