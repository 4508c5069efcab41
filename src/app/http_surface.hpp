// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>

#include "app/history_guard.hpp"
#include "app/web_app.hpp"
#include "app/world.hpp"
#include "features/auth/auth_api.hpp"
#include "features/storage/storage_api.hpp"
#include "features/sync/push_api.hpp"
#include "features/sync/sync_api.hpp"
#include "net/metrics.hpp"
#include "net/router.hpp"

namespace clouddocs::app {

// All that the server answers: the APIs, health, and the web app. Thread-safe once built.
class HttpSurface {
 public:
  HttpSurface(World& world, HistoryGuard& history);

  const net::Router& router() const { return router_; }
  sync::Hub& hub() { return hub_; }
  net::Metrics& metrics() { return metrics_; }
  // Turns /readyz red, so that a load balancer sends no more, and says good-bye on all sockets.
  void set_draining() {
    draining_ = true;
    hub_.drain();
  }

 private:
  using Reply = core::Task<core::Result<net::Response>>;
  void mount_operations();
  Reply ready();
  void add_cors(const net::Request& request, net::Response& response) const;

  World& world_;
  net::Metrics metrics_;
  net::Counter& commits_;
  net::Counter& changed_nodes_;
  net::Gauge& sockets_;
  net::Router router_;
  access::RateLimiter limiter_;
  sync::Hub hub_;
  sync::DeviceReports reports_;
  auth::AuthApi auth_api_;
  storage::StorageApi storage_api_;
  sync::SyncApi sync_api_;
  sync::PushApi push_api_;
  WebApp web_app_;
  std::atomic<bool> draining_{false};
};

// Headers of every answer: no framing, no sniffing, no foreign scripts.
net::Headers security_headers(bool tls);

}  // namespace clouddocs::app
