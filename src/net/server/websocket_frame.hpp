// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace clouddocs::net {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
using FrameMask = std::array<std::uint8_t, 4>;

// Appends one whole unfragmented frame; masked when a client sends it (RFC 6455, 5.3).
void append_frame(std::string& out, Opcode opcode, std::string_view payload, const FrameMask* mask = nullptr);
void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason, const FrameMask* mask = nullptr);
// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string websocket_accept_key(std::string_view key);

// Puts messages together from the bytes of one side (RFC 6455, 5 and 8.1): no I/O, used by server and client.
class MessageReader {
 public:
  enum class Event : std::uint8_t { none, message, ping, pong, close, failed };
  // `masked`: whether the other side has to mask, as clients do.
  explicit MessageReader(bool masked) : expects_mask_(masked) {}

  void set_limit(std::size_t bytes) { limit_ = bytes; }
  // Takes bytes up to the end of the first frame that completes an event. Call again while input is left and take what is ready before.
  std::size_t feed(std::string_view input, Event& event);
  // After message: its text, once.
  std::string take_message();
  // After ping or close: the payload.
  std::string_view control() const { return control_; }
  // After failed: the code to close with (1002 protocol, 1003 binary, 1007 not UTF-8, 1009 too big).
  std::uint16_t failure() const { return failure_; }
  // After close: the peer's code, 1005 when it gave none.
  std::uint16_t close_code() const;
  bool is_inside_message() const { return in_payload_ || in_message_; }

 private:
  bool parse_header();
  std::size_t header_size() const;
  bool check_header(Opcode opcode, bool final);
  Event finish_frame();
  Event fail(std::uint16_t code);

  std::string message_;
  std::string control_;
  std::size_t limit_ = 64U << 10;
  std::uint64_t left_ = 0;  // of the present frame's payload
  std::array<std::uint8_t, 14> header_{};
  std::uint8_t header_length_ = 0;
  std::uint8_t mask_at_ = 0;
  FrameMask mask_{};
  Opcode opcode_ = Opcode::continuation;
  bool final_ = false;
  bool in_payload_ = false;
  bool in_message_ = false;  // fragments are open
  bool expects_mask_;
  std::uint16_t failure_ = 0;
};

}  // namespace clouddocs::net
