// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <array>
#include <memory>

#include "net/http.hpp"
#include "net/server/channel.hpp"
#include "net/server/input_buffer.hpp"
#include "net/server/websocket_frame.hpp"
#include "net/websocket.hpp"

namespace clouddocs::net {

// What a valid opening handshake is answered with in Sec-WebSocket-Accept. Errors: invalid_request.
core::Result<std::string> websocket_accept(const Request& request);

// The server's end of a WebSocket over an upgraded connection. Idle it holds no buffer but 128 bytes in place.
class WebSocketConnection : public WebSocket, public std::enable_shared_from_this<WebSocketConnection> {
 public:
  // `input` holds what came behind the handshake.
  WebSocketConnection(Channel& channel, InputBuffer& input, SteadyDuration stall);

  core::Task<core::Result<std::string>> read(std::size_t limit, SteadyDuration timeout) override;
  bool try_send(const SharedFrame& frame) override;
  void on_writable(std::function<void()> callback) override { on_writable_ = std::move(callback); }
  core::Task<> close(std::uint16_t code, std::string reason) override;
  core::asio::any_io_executor executor() override { return channel_.loop().context.get_executor(); }

  // Sends the close frame and lets a running read() end soon. Does nothing the second time.
  void begin_close(std::uint16_t code, std::string_view reason);
  // The channel is going away: nothing may touch it any more.
  void detach() { closed_ = detached_ = true; }

 private:
  core::Task<MessageReader::Event> next_event(SteadyTime deadline);
  core::Task<MessageReader::Event> receive_more(SteadyTime deadline);
  MessageReader::Event take(std::string_view bytes);
  void flush();
  void wait_for_room();
  bool has_output() const { return frame_ != nullptr || !control_.empty(); }

  Channel& channel_;
  SteadyDuration stall_;
  MessageReader reader_{true};
  std::string pending_;  // received, not yet looked at
  std::array<char, 128> small_;
  SharedFrame frame_;  // on its way
  std::size_t frame_sent_ = 0;
  std::string control_;  // pongs and the close frame, after frame_
  std::function<void()> on_writable_;
  SteadyTime close_deadline_ = SteadyTime::max();
  bool reading_ = false;
  bool flush_waits_ = false;
  bool refused_ = false;  // try_send() had to say no, or left bytes behind
  bool close_sent_ = false;
  bool closed_ = false;
  bool detached_ = false;
};

}  // namespace clouddocs::net
