// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <string>

#include "net/server/channel.hpp"
#include "net/server/input_buffer.hpp"
#include "net/server/request_head.hpp"
#include "net/server/server_environment.hpp"

namespace clouddocs::net {

class WebSocketConnection;

// One accepted connection: reads requests in order, answers each, until either side ends it. Lives on its event loop; owns itself while its
// coroutine runs.
class Connection : public LoopMember, public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerEnvironment& environment, EventLoop& loop, std::unique_ptr<Stream> stream, std::string peer);
  ~Connection() override;
  void start();

  void sweep(SteadyTime now) override { channel_.sweep(now); }
  void drain() override;
  void cut() override;

 private:
  struct Exchange;
  core::Task<> run();
  core::Task<bool> serve_one();
  core::Task<bool> read_head(Exchange& exchange);
  core::Task<bool> respond(Exchange& exchange, Response response);
  core::Task<bool> refuse(Exchange& exchange, const Refusal& refusal);
  core::Task<bool> upgrade(Exchange& exchange, Response& response);
  core::Task<> run_websocket();
  void identify(Request& request);
  void observe(const Exchange& exchange, int status);

  ServerEnvironment& environment_;
  Channel channel_;
  InputBuffer input_;
  std::string peer_;
  WebSocketSession session_;  // set by an upgrade
  std::shared_ptr<WebSocketConnection> websocket_;
  core::asio::cancellation_signal cancellation_;
  bool waiting_ = false;  // for the first byte of a request
  bool draining_ = false;
};

}  // namespace clouddocs::net
