// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/http.hpp"
#include "net/router.hpp"

namespace clouddocs::net {

struct ServerConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: the system chooses
  unsigned threads = 0;       // event loops; 0: one per core
  std::size_t max_connections = 20'000;
  std::size_t header_limit = 16U << 10;  // bytes of request line and header fields; more is 431
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds idle_timeout{75'000};   // keep-alive
  std::chrono::milliseconds stall_timeout{30'000};  // no byte of a body in or out
  std::vector<std::string> trusted_proxies;         // addresses or CIDR whose X-Forwarded-* count
  std::string tls_certificate;                      // PEM files; empty: no TLS. TLS 1.3 only
  std::string tls_key;
  Headers default_headers;  // added to every response that does not set them (security headers)
};

// What the server tells of each finished request (metrics, access log).
struct RequestObservation {
  const Request& request;
  std::string_view route;  // pattern, "" for none
  int status;
  std::uint64_t bytes_in;
  std::uint64_t bytes_out;
  std::chrono::steady_clock::duration duration;
};

// HTTP/1.1 (RFC 9112) with keep-alive, pipelining limits, Expect: 100-continue, sendfile, WebSocket upgrade. One event loop per thread,
// each with its own listening socket (SO_REUSEPORT). Thread-safe.
class Server {
 public:
  // Binds and listens; throws std::system_error when the address cannot be used, std::runtime_error when the certificate cannot,
  // std::invalid_argument for a malformed trusted proxy.
  Server(ServerConfig config, const Router& router, std::function<void(const RequestObservation&)> observer);
  ~Server();
  void start();
  std::uint16_t port() const;
  std::vector<core::asio::any_io_executor> executors() const;
  // Stops accepting, lets running requests end for at most `grace`, closes WebSockets with 1001, then cuts. Blocks.
  void drain(std::chrono::milliseconds grace);
  std::size_t connections() const;
  // Reads the certificate and key files again, for connections made from now on; throws std::runtime_error and keeps the old ones when they
  // cannot be used.
  void reload_certificate();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace clouddocs::net
