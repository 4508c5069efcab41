// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/task.hpp"

namespace clouddocs::net {

// A text frame ready for the wire, built once and shared by every socket that it goes to.
using SharedFrame = std::shared_ptr<const std::string>;
SharedFrame make_text_frame(std::string_view text);

// The server's side of one WebSocket (RFC 6455). All calls on the connection's executor. Pings of the peer are answered inside read().
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  // The next text message, at most `limit` bytes, waiting at most `timeout`. Errors: gone (closed by the peer or lost), unavailable (timeout),
  // body_too_large, invalid_request (protocol violation; the close frame has been sent).
  virtual core::Task<core::Result<std::string>> read(std::size_t limit,
                                                     std::chrono::steady_clock::duration timeout) = 0;
  // Writes the frame now as far as the socket takes it; the rest follows in the background. False when an earlier frame is still going out (a slow
  // consumer): the caller keeps at most one merged hint and asks again from on_writable. Never waits.
  virtual bool try_send(const SharedFrame& frame) = 0;
  // Called on the connection's executor each time everything accepted has been written after try_send had to wait. Set once.
  virtual void on_writable(std::function<void()> callback) = 0;
  // Sends a close frame with this code and ends the connection after the peer's answer or a short time.
  virtual core::Task<> close(std::uint16_t code, std::string reason) = 0;
  virtual core::asio::any_io_executor executor() = 0;
};

}  // namespace clouddocs::net
