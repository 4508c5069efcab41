// SPDX-License-Identifier: AGPL-3.0-or-later
// Request heads and chunked bodies: no crash, and the same outcome however the bytes are cut into pieces.
#include <cstdlib>

#include "net/server/chunked_decoder.hpp"
#include "net/server/request_head.hpp"

using namespace clouddocs::net;

namespace {

std::string decode(std::string_view input, std::size_t piece, bool& failed) {
  ChunkedDecoder decoder;
  std::string content;
  while (!input.empty() && !decoder.is_done() && !decoder.has_failed()) {
    std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    while (!part.empty() && !decoder.is_done() && !decoder.has_failed()) {
      const auto step = decoder.next(part);
      if (step.consumed == 0) std::abort();
      content += step.content;
      part.remove_prefix(step.consumed);
    }
  }
  failed = decoder.has_failed();
  return content;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = 1U + bytes[0] % 16U;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);

  HeadScanner whole;
  const auto length = whole.scan(input);
  HeadScanner stepwise;
  std::optional<std::size_t> found;
  for (std::size_t end = piece; !found && !stepwise.refused(); end += piece) {
    found = stepwise.scan(input.substr(0, end));
    if (end >= input.size()) break;
  }
  if (found != length || stepwise.refused().has_value() != whole.refused().has_value()) std::abort();
  std::string_view rest = input;
  if (length) {
    Request request;
    Framing framing;
    if (!parse_head(input.substr(0, *length), request, framing) && framing.chunked && framing.content_length != 0)
      std::abort();
    rest.remove_prefix(*length);
  }

  bool failed_whole = false;
  bool failed_stepwise = false;
  if (decode(rest, rest.size() + 1, failed_whole) != decode(rest, piece, failed_stepwise) ||
      failed_whole != failed_stepwise)
    std::abort();
  return 0;
}
