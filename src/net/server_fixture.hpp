// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>

#include "net/ascii.hpp"
#include "net/server.hpp"

namespace clouddocs::net {

// For tests: a blocking socket that says exactly what it is told to, byte for byte.
class RawClient {
 public:
  struct Answer {
    int status = 0;
    std::string head;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
  };

  explicit RawClient(std::uint16_t port, int receive_buffer = 0) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("connect");
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False when the peer has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void shutdown() { ::shutdown(socket_, SHUT_WR); }

  // More bytes into the buffer; false at the end or after `limit`.
  bool receive(std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(limit.count())) <= 0) {
      timed_out_ = true;
      return false;
    }
    char bytes[65536];
    const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  // Everything until the peer closes.
  std::string read_all() {
    while (receive()) {
    }
    return std::exchange(buffer_, {});
  }
  std::string read_exactly(std::size_t count) {
    while (buffer_.size() < count && receive()) {
    }
    std::string bytes = buffer_.substr(0, count);
    buffer_.erase(0, bytes.size());
    return bytes;
  }
  // Everything up to and including `end`.
  std::string read_until(std::string_view end) {
    while (!buffer_.ends_with(end) && receive()) {
    }
    return std::exchange(buffer_, {});
  }
  bool is_closed(std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    timed_out_ = false;
    while (receive(limit)) {
    }
    return !timed_out_;
  }
  // One response with its body; `head_only` after HEAD. Status 0 when the connection ended before.
  Answer read(bool head_only = false) {
    Answer answer;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return answer;
    }
    answer.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    for (std::size_t at = answer.head.find("\r\n") + 2; at < answer.head.size();) {
      const auto line_end = answer.head.find("\r\n", at);
      const std::string line = answer.head.substr(at, line_end - at);
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name) c = to_lower(c);
      answer.headers[name] = trim(std::string_view(line).substr(line.find(':') + 1));
      at = line_end + 2;
    }
    if (head_only || answer.status < 200) return answer;
    if (answer.headers.contains("content-length")) {
      answer.body = read_exactly(std::stoul(answer.headers["content-length"]));
    } else if (answer.headers["transfer-encoding"] == "chunked") {
      answer.body = read_chunks();
    } else if (answer.status != 204 && answer.status != 304) {
      answer.body = read_all();
    }
    return answer;
  }
  Answer ask(std::string_view request) {
    send(request);
    return read();
  }

 private:
  std::string read_line() {
    while (buffer_.find("\r\n") == std::string::npos && receive()) {
    }
    std::string line = buffer_.substr(0, buffer_.find("\r\n"));
    buffer_.erase(0, line.size() + 2);
    return line;
  }
  std::string read_chunks() {
    std::string body;
    while (true) {
      const std::string line = read_line();
      const auto size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
      body += read_exactly(size);
      read_line();
      if (size == 0) return body;
    }
  }

  int socket_ = -1;
  std::string buffer_;
  bool timed_out_ = false;
};

// For tests: a server on a free port with short deadlines. Routes are added before start().
struct ServerFixture {
  ServerFixture() {
    config.port = 0;
    config.threads = 2;
    config.header_timeout = std::chrono::milliseconds(300);
    config.idle_timeout = std::chrono::milliseconds(600);
    config.stall_timeout = std::chrono::milliseconds(300);
  }
  void start(std::function<void(const RequestObservation&)> observer = {}) {
    server = std::make_unique<Server>(config, router, std::move(observer));
    server->start();
  }
  std::uint16_t port() const { return server->port(); }

  ServerConfig config;
  Router router;
  std::unique_ptr<Server> server;
};

}  // namespace clouddocs::net
