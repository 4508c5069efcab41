// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/websocket_frame.hpp"

#include <openssl/sha.h>

#include <algorithm>

#include "core/encoding.hpp"
#include "net/websocket.hpp"

namespace clouddocs::net {

void append_frame(std::string& out, Opcode opcode, std::string_view payload, const FrameMask* mask) {
  const auto put = [&](std::uint64_t byte) { out += static_cast<char>(byte & 0xffU); };
  const unsigned mask_bit = mask != nullptr ? 0x80U : 0U;
  put(0x80U | static_cast<unsigned>(opcode));
  if (payload.size() < 126) {
    put(mask_bit | payload.size());
  } else {
    const int bytes = payload.size() <= 0xffffU ? 2 : 8;
    put(mask_bit | (bytes == 2 ? 126U : 127U));
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) put(payload.size() >> shift);
  }
  if (mask == nullptr) {
    out += payload;
    return;
  }
  for (const std::uint8_t byte : *mask) put(byte);
  for (std::size_t i = 0; i < payload.size(); ++i) put(static_cast<std::uint8_t>(payload[i]) ^ (*mask)[i % 4]);
}

void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason, const FrameMask* mask) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xffU)};
  payload += reason.substr(0, 123);
  append_frame(out, Opcode::close, payload, mask);
}

std::string websocket_accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::byte, SHA_DIGEST_LENGTH> digest;
  ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return core::to_base64(digest);
}

SharedFrame make_text_frame(std::string_view text) {
  std::string frame;
  frame.reserve(text.size() + 10);
  append_frame(frame, Opcode::text, text);
  return std::make_shared<const std::string>(std::move(frame));
}

MessageReader::Event MessageReader::fail(std::uint16_t code) {
  failure_ = code;
  return Event::failed;
}

std::size_t MessageReader::header_size() const {
  if (header_length_ < 2) return 2;
  const unsigned length = header_[1] & 0x7fU;
  const bool masked = (header_[1] & 0x80U) != 0;
  return 2U + (length == 126 ? 2U : length == 127 ? 8U : 0U) + (masked ? 4U : 0U);
}

bool MessageReader::check_header(Opcode opcode, bool final) {
  if ((header_[0] & 0x70U) != 0) return false;  // no extension was agreed on
  if (((header_[1] & 0x80U) != 0) != expects_mask_) return false;
  switch (opcode) {
    case Opcode::continuation: return in_message_;
    case Opcode::text:
    case Opcode::binary: return !in_message_;
    case Opcode::close:
    case Opcode::ping:
    case Opcode::pong: return final && left_ <= 125;
  }
  return false;
}

bool MessageReader::parse_header() {
  const auto opcode = static_cast<Opcode>(header_[0] & 0x0fU);
  final_ = (header_[0] & 0x80U) != 0;
  const unsigned short_length = header_[1] & 0x7fU;
  const std::size_t extended = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
  left_ = extended == 0 ? short_length : 0;
  for (std::size_t i = 0; i < extended; ++i) left_ = (left_ << 8) | header_[2 + i];
  // The shortest form is the only one, and the top bit stays clear (5.2).
  const std::uint64_t least = extended == 2 ? 126 : extended == 8 ? 0x10000 : 0;
  if (left_ < least || left_ >> 63 != 0 || !check_header(opcode, final_)) return false;
  if (expects_mask_) std::copy_n(header_.begin() + 2 + static_cast<std::ptrdiff_t>(extended), 4, mask_.begin());
  opcode_ = opcode;
  mask_at_ = 0;
  in_payload_ = true;
  if (opcode >= Opcode::close) control_.clear();
  return true;
}

std::size_t MessageReader::feed(std::string_view input, Event& event) {
  event = Event::none;
  std::size_t used = 0;
  while (event == Event::none) {
    if (!in_payload_) {
      while (header_length_ < header_size() && used < input.size())
        header_[header_length_++] = static_cast<std::uint8_t>(input[used++]);
      if (header_length_ < header_size()) return used;
      header_length_ = header_length_ > 0 && parse_header() ? 0 : header_length_;
      if (!in_payload_) {
        event = fail(1002);
        return used;
      }
      if (opcode_ == Opcode::binary) {
        event = fail(1003);
        return used;
      }
      if (opcode_ < Opcode::close && left_ > limit_ - std::min(limit_, message_.size())) {
        event = fail(1009);
        return used;
      }
    }
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - used));
    std::string& payload = opcode_ >= Opcode::close ? control_ : message_;
    const auto start = payload.size();
    payload += input.substr(used, length);
    if (expects_mask_) {
      for (auto at = start; at < payload.size(); ++at) {
        payload[at] = static_cast<char>(static_cast<std::uint8_t>(payload[at]) ^ mask_[mask_at_]);
        mask_at_ = (mask_at_ + 1) & 3U;
      }
    }
    used += length;
    left_ -= length;
    if (left_ > 0) return used;
    event = finish_frame();
  }
  return used;
}

MessageReader::Event MessageReader::finish_frame() {
  in_payload_ = false;
  switch (opcode_) {
    case Opcode::ping: return Event::ping;
    case Opcode::pong: return Event::pong;
    case Opcode::close: {
      if (control_.size() == 1 ||
          !core::is_utf8(std::string_view(control_).substr(std::min<std::size_t>(2, control_.size()))))
        return fail(1002);
      const std::uint16_t code = close_code();
      const bool is_valid = control_.empty() || (code >= 3000 && code < 5000) ||
                            (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006));
      return is_valid ? Event::close : fail(1002);
    }
    default: break;
  }
  in_message_ = !final_;
  if (!final_) return Event::none;
  return core::is_utf8(message_) ? Event::message : fail(1007);
}

std::string MessageReader::take_message() { return std::exchange(message_, {}); }

std::uint16_t MessageReader::close_code() const {
  if (control_.size() < 2) return 1005;
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(control_[0]) << 8 |
                                    static_cast<std::uint8_t>(control_[1]));
}

}  // namespace clouddocs::net
