// SPDX-License-Identifier: AGPL-3.0-or-later
// WebSocket frames: no crash, messages within their limit, and the same events however the bytes are cut into pieces.
#include <cstdlib>

#include "core/encoding.hpp"
#include "net/server/websocket_frame.hpp"

using namespace clouddocs::net;

namespace {

constexpr std::size_t limit = 1000;

std::string events_of(std::string_view input, std::size_t piece, bool masked) {
  MessageReader reader(masked);
  reader.set_limit(limit);
  std::string log;
  while (!input.empty()) {
    std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    while (!part.empty()) {
      auto event = MessageReader::Event::none;
      part.remove_prefix(reader.feed(part, event));
      log += static_cast<char>('0' + static_cast<int>(event));
      if (event == MessageReader::Event::none) log.pop_back();
      if (event == MessageReader::Event::message) {
        const std::string message = reader.take_message();
        if (message.size() > limit || !clouddocs::core::is_utf8(message)) std::abort();
        log += message;
      }
      if (event == MessageReader::Event::ping || event == MessageReader::Event::close) log += reader.control();
      if (event == MessageReader::Event::failed) return log + std::to_string(reader.failure());
    }
  }
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const bool masked = (bytes[0] & 0x80U) != 0;
  if (events_of(input, input.size() + 1, masked) != events_of(input, 1U + bytes[0] % 16U, masked)) std::abort();
  return 0;
}
