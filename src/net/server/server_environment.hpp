// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <functional>

#include "net/server.hpp"
#include "net/server/tls_stream.hpp"
#include "net/server/trusted_proxies.hpp"

namespace clouddocs::net {

// What all connections of a server share. Only the atomics change after the server has started.
struct ServerEnvironment {
  ServerConfig config;
  const Router& router;
  std::function<void(const RequestObservation&)> observer;
  TrustedProxies proxies;
  std::unique_ptr<TlsContext> tls;  // null: plain HTTP
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> draining{false};
};

}  // namespace clouddocs::net
