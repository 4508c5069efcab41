// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "features/auth/auth_api.hpp"
#include "features/storage/chunk_store.hpp"
#include "features/sync/hub.hpp"
#include "net/router.hpp"

namespace clouddocs::sync {

// GET /api/sync/ws: one WebSocket for all spaces of the account. Thread-safe.
class PushApi {
 public:
  PushApi(Hub& hub, auth::AuthApi& auth, database::Database& db) : hub_(hub), auth_(auth), db_(db) {}
  // Adds the route. REQUIRES: this outlives the router.
  void mount(net::Router& router);

 private:
  using Authentication = std::shared_ptr<const access::Authentication>;
  core::Task<> run(net::WebSocket& socket, Authentication authentication);
  core::Task<core::Result<Authentication>> authenticate(net::WebSocket& socket);
  core::Task<core::Result<std::string>> hello(UserId user);
  core::Task<> serve(net::WebSocket& socket, Subscriber& subscriber);
  void take_ping(SessionId session, const boost::json::object& ping);

  Hub& hub_;
  auth::AuthApi& auth_;
  database::Database& db_;
};

}  // namespace clouddocs::sync
