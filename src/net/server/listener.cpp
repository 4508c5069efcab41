// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/listener.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <system_error>

#include "core/log.hpp"
#include "net/server/connection.hpp"

namespace clouddocs::net {

namespace asio = core::asio;
using boost::system::error_code;
using core::Task;

namespace {

void check(const error_code& error, const char* what, const ServerConfig& config) {
  if (error)
    throw std::system_error(error.value(), std::system_category(),
                            what + (" " + config.address + ":" + std::to_string(config.port)));
}

std::string to_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
      ::inet_ntop(AF_INET, v6.s6_addr + 12, text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &v6, text, sizeof text);
    }
  }
  return text;
}

}  // namespace

Listener::Listener(ServerEnvironment& environment, EventLoop& loop, std::uint16_t port, Sharing sharing)
    : environment_(environment), loop_(loop), acceptor_(loop.context) {
  const ServerConfig& config = environment.config;
  error_code error;
  const auto address = asio::ip::make_address(config.address, error);
  check(error, "not an address:", config);
  const Tcp::endpoint endpoint(address, port);
  using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  acceptor_.open(endpoint.protocol(), error);
  check(error, "cannot open a socket for", config);
  acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  // The first listener binds without sharing: another server on the port is an error, not a silent partner.
  if (sharing == Sharing::further) acceptor_.set_option(ReusePort(true), error);
  acceptor_.bind(endpoint, error);
  check(error, "cannot listen on", config);
  if (sharing == Sharing::first) acceptor_.set_option(ReusePort(true), error);
  check(error, "cannot share", config);
  acceptor_.listen(4096, error);
  check(error, "cannot listen on", config);
  acceptor_.native_non_blocking(true, error);
  check(error, "cannot listen on", config);
}

std::uint16_t Listener::port() const { return acceptor_.local_endpoint().port(); }

void Listener::start() {
  asio::co_spawn(loop_.context, run(), [](const std::exception_ptr& error) {
    if (error) core::log_error("listener_failed");
  });
}

void Listener::close() {
  closed_ = true;
  error_code ignored;
  acceptor_.close(ignored);
}

Task<> Listener::run() {
  while (!closed_) {
    const auto [error] =
        co_await acceptor_.async_wait(asio::socket_base::wait_read, asio::as_tuple(asio::use_awaitable));
    if (error || closed_) co_return;
    constexpr int most_at_once = 64;
    int accepted = 0;
    while (accepted < most_at_once && accept_one()) ++accepted;
    // Out of descriptors or memory: waiting connections keep the socket readable, so pause instead of spinning.
    if (accepted < most_at_once && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      core::log_warning("accept_failed", {{"error", std::generic_category().message(errno)}});
      co_await core::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

bool Listener::accept_one() {
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  const int descriptor =
      ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&from), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) return false;
  if (environment_.connections.load(std::memory_order_relaxed) >= environment_.config.max_connections) {
    refuse(descriptor);
    return true;
  }
  TcpSocket socket(loop_.context);
  error_code error;
  socket.assign(from.ss_family == AF_INET6 ? Tcp::v6() : Tcp::v4(), descriptor, error);
  if (error) {
    ::close(descriptor);
    return true;
  }
  std::unique_ptr<Stream> stream;
  if (environment_.tls) {
    stream = std::make_unique<TlsStream>(std::move(socket), environment_.tls->current());
  } else {
    stream = std::make_unique<Stream>(std::move(socket));
  }
  std::make_shared<Connection>(environment_, loop_, std::move(stream), to_text(from))->start();
  return true;
}

void Listener::refuse(int descriptor) {
  const Response response =
      problem(core::Error(core::Errc::unavailable, "The server has as many connections as it takes; try again."));
  const auto& body = std::get<std::string>(response.body);
  const std::string text =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 2\r\nContent-Type: "
      "application/problem+json\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  if (!environment_.tls) {
    [[maybe_unused]] const auto sent = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  ::shutdown(descriptor, SHUT_WR);
  // Reading what has come lets close() send FIN instead of a reset that would take the answer with it.
  char scratch[4096];
  while (::recv(descriptor, scratch, sizeof scratch, MSG_DONTWAIT) > 0) {
  }
  ::close(descriptor);
}

}  // namespace clouddocs::net
