// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "net/server/channel.hpp"

namespace clouddocs::net {

// How a response goes out.
struct ResponseFrame {
  std::string_view request_id;
  const Headers* default_headers = nullptr;
  bool head_only = false;   // answers HEAD
  bool is_http10 = false;
  bool keep_alive = true;   // write() clears it when the body ends with the connection
  SteadyDuration stall{};
};

// Writes one response that is not an upgrade. False when the connection is broken or the body could not be completed.
core::Task<bool> write_response(Channel& channel, Response& response, ResponseFrame& frame);

// Appends status line and header fields without those of the body's framing and without the empty line.
void append_head(std::string& out, const Response& response, const ResponseFrame& frame, std::string_view date);

}  // namespace clouddocs::net
