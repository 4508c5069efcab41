// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/http.hpp"

namespace clouddocs::net {

// A request that HTTP itself refuses: answered with a problem document, then the connection closes.
struct Refusal {
  int status = 400;
  std::string_view code = "invalid_request";
  std::string_view detail;
};

// Finds the end of a request head in bytes that arrive piece by piece, and refuses what makes parsers disagree about where it ends:
// bare line feeds and folded lines (RFC 9112, 2.2 and 5.2).
class HeadScanner {
 public:
  // Looks at all bytes so far. The length of the head with its empty line; nullopt while more is needed or once refused().
  std::optional<std::size_t> scan(std::string_view bytes);
  const std::optional<Refusal>& refused() const { return refusal_; }

 private:
  std::size_t line_start_ = 0;
  std::size_t scanned_ = 0;
  std::optional<Refusal> refusal_;
};

// How the message goes on after its head.
struct Framing {
  std::uint64_t content_length = 0;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  bool is_http10 = false;
};

// Parses a whole head (as found by HeadScanner) into `request` (method, target, path, query, headers) and `framing`.
std::optional<Refusal> parse_head(std::string_view head, Request& request, Framing& framing);

}  // namespace clouddocs::net
