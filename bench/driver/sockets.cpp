// SPDX-License-Identifier: AGPL-3.0-or-later
#include "sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace bench {

void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

Descriptor connect_loopback(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (socket.get() < 0 || ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail("connect to port " + std::to_string(port));
  }
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A server that stops answering ends the measurement instead of holding it for ever.
  const timeval limit{.tv_sec = 120, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return socket;
}

void set_nonblocking(const Descriptor& socket) {
  if (::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK) != 0) fail("fcntl");
}

void write_all(const Descriptor& socket, std::string_view data) {
  while (!data.empty()) {
    const auto written = ::send(socket.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (written <= 0) fail("send");
    data.remove_prefix(static_cast<std::size_t>(written));
  }
}

Stream::Stream(std::uint16_t port, bool is_tls) : socket_(connect_loopback(port)) {
  if (!is_tls) return;
  static SSL_CTX* const context = [] {
    SSL_CTX* made = ::SSL_CTX_new(::TLS_client_method());
    ::SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION);
    return made;
  }();
  ssl_ = ::SSL_new(context);
  ::SSL_set_fd(ssl_, socket_.get());
  if (::SSL_connect(ssl_) != 1) throw std::runtime_error("TLS handshake failed");
}

Stream::~Stream() {
  if (ssl_ != nullptr) ::SSL_free(ssl_);
}

void Stream::write(std::string_view data) {
  if (ssl_ == nullptr) {
    write_all(socket_, data);
  } else if (::SSL_write(ssl_, data.data(), static_cast<int>(data.size())) <= 0) {
    throw std::runtime_error("TLS write failed");
  }
}

std::size_t Stream::read(char* into, std::size_t size) {
  const auto count = ssl_ != nullptr ? static_cast<ssize_t>(::SSL_read(ssl_, into, static_cast<int>(size)))
                                     : ::recv(socket_.get(), into, size, 0);
  if (count < 0) fail("recv");
  if (count == 0) throw std::runtime_error("the server closed the connection");
  return static_cast<std::size_t>(count);
}

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_.get() < 0) fail("epoll_create1");
}

void Poller::add(const Descriptor& socket, std::uint64_t key, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.u64 = key}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) fail("epoll_ctl");
}

void Poller::change(const Descriptor& socket, std::uint64_t key, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.u64 = key}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket.get(), &event) != 0) fail("epoll_ctl");
}

std::vector<std::pair<std::uint64_t, std::uint32_t>> Poller::wait(int milliseconds) {
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  std::vector<std::pair<std::uint64_t, std::uint32_t>> ready;
  ready.reserve(static_cast<std::size_t>(std::max(count, 0)));
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    ready.emplace_back(event.data.u64, event.events);
  }
  return ready;
}

double percentile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

}  // namespace bench
