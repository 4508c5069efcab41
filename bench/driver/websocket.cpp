// SPDX-License-Identifier: AGPL-3.0-or-later
#include "websocket.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace bench {

WebSocket::WebSocket(std::uint16_t port, const std::string& path, const std::string& headers)
    : socket_(connect_loopback(port)) {
  write_all(socket_, "GET " + path + " HTTP/1.1\r\n" + headers +
                         "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  std::size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) read_some();
  if (!buffer_.starts_with("HTTP/1.1 101 "))
    throw std::runtime_error("no upgrade: " + buffer_.substr(0, buffer_.find('\r')));
  buffer_.erase(0, end + 4);
  buffer_.shrink_to_fit();
}

void WebSocket::read_some() {
  static std::array<char, 65536> shared;  // the driver of WebSockets has one thread
  const auto count = ::recv(socket_.get(), shared.data(), shared.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count < 0) fail("recv");
  if (count == 0) throw std::runtime_error("the server closed a WebSocket");
  buffer_.append(shared.data(), static_cast<std::size_t>(count));
}

bool WebSocket::next_frame(std::string_view& payload) {
  for (;;) {
    const std::string_view rest = std::string_view(buffer_).substr(consumed_);
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(rest[at]); };
    if (rest.size() < 2) return false;
    std::size_t head = 2;
    std::uint64_t size = byte(1) & 0x7fU;
    if (size >= 126) {
      const std::size_t width = size == 126 ? 2 : 8;
      if (rest.size() < 2 + width) return false;
      size = 0;
      for (std::size_t i = 0; i < width; ++i) size = size << 8U | byte(2 + i);
      head += width;
    }
    if (rest.size() < head + size) return false;
    payload = rest.substr(head, size);
    consumed_ += head + size;
    switch (byte(0) & 0x0fU) {
      case 0x1: return true;
      case 0x8:
        throw std::runtime_error("the server closed a WebSocket: " +
                                 std::string(payload.substr(std::min<std::size_t>(2, size))));
      case 0x9: send_frame(0xa, payload); break;
      default: break;
    }
  }
}

void WebSocket::drop_consumed() {
  buffer_.erase(0, consumed_);
  consumed_ = 0;
  if (buffer_.empty() && buffer_.capacity() > 4096) buffer_.shrink_to_fit();
}

// The mask is zero, which the protocol allows and costs nothing. Payloads are short.
void WebSocket::send_frame(unsigned char opcode, std::string_view payload) {
  std::string frame{
      static_cast<char>(0x80U | opcode), static_cast<char>(0x80U | payload.size()), '\0', '\0', '\0', '\0'};
  write_all(socket_, frame.append(payload));
}

}  // namespace bench
