// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>

#include "net/server/event_loop.hpp"
#include "net/server/server_environment.hpp"
#include "net/server/stream.hpp"

namespace clouddocs::net {

// A listening socket of one event loop; the kernel spreads connections over the loops (SO_REUSEPORT).
class Listener {
 public:
  // Whether the address must be free, or is shared with this server's first listener.
  enum class Sharing : std::uint8_t { first, further };
  // Throws std::system_error when the address cannot be used.
  Listener(ServerEnvironment& environment, EventLoop& loop, std::uint16_t port, Sharing sharing);
  void start();
  void close();
  std::uint16_t port() const;

 private:
  core::Task<> run();
  bool accept_one();
  void refuse(int descriptor);

  ServerEnvironment& environment_;
  EventLoop& loop_;
  core::asio::basic_socket_acceptor<Tcp, core::asio::io_context::executor_type> acceptor_;
  bool closed_ = false;
};

}  // namespace clouddocs::net
