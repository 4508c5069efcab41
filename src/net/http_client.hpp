// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.hpp"

namespace clouddocs::net {

// The request could not be carried out: no connection, TLS failure, timeout, answer cut off.
class NetworkError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A blocking HTTP client over libcurl with a pool of kept connections. Certificates are verified. Thread-safe: each thread that is inside
// send() uses a connection of its own.
class HttpClient {
 public:
  struct Options {
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds stall_timeout{30'000};  // less than 1 byte/s for this long
    std::string user_agent{};
    std::string ca_file{};  // PEM, trusted instead of the system's certificates; empty: those
  };
  struct Request {
    std::string method = "GET";
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    // The body: either `body`, or `source` called for the next piece (empty at the end) with `source_length` bytes in all.
    std::string body;
    std::function<core::ByteView()> source;
    std::uint64_t source_length = 0;
    // Receives the body of a 2xx answer piece by piece; false stops the transfer. Absent: collected in Response::body.
    std::function<bool(core::ByteView)> sink;
    std::size_t body_limit = 64U << 20;  // of a collected body
  };
  struct Response {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
    std::string header(std::string_view name) const;
  };

  explicit HttpClient(Options options);
  ~HttpClient();
  // Throws NetworkError.
  Response send(const Request& request);
  // Makes running and later send() calls throw soon.
  void abort();
  // Bytes that crossed the sockets so far, headers included (without TCP and TLS overhead).
  std::uint64_t bytes_sent() const;
  std::uint64_t bytes_received() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A blocking WebSocket client (RFC 6455) over TCP or TLS. One reader thread; send() and close() from any thread.
class WebSocketClient {
 public:
  // Connects to ws(s)://...; throws NetworkError (its text names the HTTP status when the server refused the upgrade).
  WebSocketClient(const std::string& url, const std::vector<std::pair<std::string, std::string>>& headers,
                  std::chrono::milliseconds connect_timeout, const std::string& ca_file = {});
  ~WebSocketClient();
  // The next text message; nullopt when `timeout` passed without one. Throws NetworkError when the connection has ended.
  std::optional<std::string> read(std::chrono::milliseconds timeout);
  void send(std::string text);
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace clouddocs::net
