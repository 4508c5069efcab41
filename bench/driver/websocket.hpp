// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "options.hpp"
#include "sockets.hpp"

namespace bench {

// A client's WebSocket: connects, gives the text frames that arrive, answers pings.
class WebSocket {
 public:
  // Options used: port, path, header.
  WebSocket(std::uint16_t port, const std::string& path, const std::string& headers);

  // Reads what the socket has and calls `on_text` with each frame. Throws when the server closes.
  template <class OnText>
  void receive(OnText&& on_text) {
    read_some();
    std::string_view payload;
    while (next_frame(payload)) on_text(payload);
    drop_consumed();
  }

  void send_text(std::string_view text) { send_frame(0x1, text); }
  const Descriptor& socket() const { return socket_; }

 private:
  void read_some();
  bool next_frame(std::string_view& payload);
  void drop_consumed();
  void send_frame(unsigned char opcode, std::string_view payload);

  Descriptor socket_;
  std::string buffer_;
  std::size_t consumed_ = 0;
};

}  // namespace bench
