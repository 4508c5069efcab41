// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/response_writer.hpp"

#include <array>
#include <charconv>

#include "core/log.hpp"
#include "net/ascii.hpp"

namespace clouddocs::net {

using core::Task;

namespace {

void append_number(std::string& out, std::uint64_t value, int base = 10) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  out.append(digits.data(), end);
}

// A value that came from outside must not end its line and start another field.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  const auto start = out.size();
  out += value;
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    for (auto at = start; at < out.size(); ++at) {
      if (out[at] == '\r' || out[at] == '\n' || out[at] == '\0') out[at] = ' ';
    }
  }
  out += "\r\n";
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

bool is_framing_field(std::string_view name) {
  return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding") ||
         equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Date");
}

// The body's length; nullopt when only its end will tell.
std::optional<std::uint64_t> length_of(const Response& response) {
  struct Visitor {
    std::optional<std::uint64_t> operator()(const std::string& text) const { return text.size(); }
    std::optional<std::uint64_t> operator()(const std::shared_ptr<const std::string>& text) const {
      return text ? text->size() : 0;
    }
    std::optional<std::uint64_t> operator()(const BodyParts& parts) const { return parts.length; }
    std::optional<std::uint64_t> operator()(const BodyStream& stream) const { return stream.length; }
    std::optional<std::uint64_t> operator()(const WebSocketSession&) const { return 0; }
  };
  return std::visit(Visitor(), response.body);
}

// Sends a response's body behind its head.
class BodyWriter {
 public:
  BodyWriter(Channel& channel, const ResponseFrame& frame, bool chunked)
      : channel_(channel), frame_(frame), chunked_(chunked) {}

  Task<bool> write_text(std::string head, std::string_view body) {
    std::array<iovec, 2> pieces{piece_of(head), piece_of(body)};
    co_return co_await channel_.write(std::span(pieces).first(body.empty() ? 1 : 2), frame_.stall);
  }

  Task<bool> write_parts(std::string head, const BodyParts& body) {
    std::vector<iovec> memory{piece_of(head)};
    std::uint64_t length = 0;
    for (const auto& part : body.parts) {
      if (const auto* text = std::get_if<std::shared_ptr<const std::string>>(&part)) {
        length += (*text)->size();
        memory.push_back(piece_of(**text));
        if (memory.size() < most_pieces) continue;
        if (!co_await channel_.write(memory, frame_.stall, true)) co_return false;
        memory.clear();
        continue;
      }
      const auto& region = std::get<FileRegion>(part);
      if (region.length == 0) continue;
      length += region.length;
      // MSG_MORE joins head and first file bytes in one segment.
      if (!memory.empty() && !co_await channel_.write(memory, frame_.stall, true)) co_return false;
      memory.clear();
      if (!co_await channel_.write_file(region, frame_.stall)) co_return false;
    }
    if (!memory.empty() && !co_await channel_.write(memory, frame_.stall)) co_return false;
    co_return length == body.length;
  }

  Task<bool> write_stream(std::string head, BodyStream& body) {
    std::uint64_t left = body.length.value_or(0);
    if (!co_await channel_.write(head, frame_.stall, true)) co_return false;
    while (true) {
      const core::ByteView bytes = co_await body.source->next();
      if (bytes.empty()) break;
      if (body.length && bytes.size() > left) co_return false;
      left -= body.length ? bytes.size() : 0;
      if (!co_await write_piece(core::as_text(bytes))) co_return false;
    }
    if (body.length && left > 0) co_return false;  // cut: the peer must not take it for the whole
    co_return !chunked_ || co_await channel_.write("0\r\n\r\n", frame_.stall);
  }

 private:
  static constexpr std::size_t most_pieces = 64;

  static iovec piece_of(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

  Task<bool> write_piece(std::string_view bytes) {
    if (!chunked_) co_return co_await channel_.write(bytes, frame_.stall);
    std::string size;
    append_number(size, bytes.size(), 16);
    size += "\r\n";
    std::array<iovec, 3> pieces{piece_of(size), piece_of(bytes), piece_of("\r\n")};
    co_return co_await channel_.write(pieces, frame_.stall);
  }

  Channel& channel_;
  const ResponseFrame& frame_;
  bool chunked_;
};

// Writes a response in memory with one system call when the socket takes it. Nullopt when some is left (in `head` and the body).
std::optional<bool> try_write_text(Channel& channel, std::string_view head, std::string_view body,
                                   std::size_t& written) {
  std::array<iovec, 2> pieces{iovec{const_cast<char*>(head.data()), head.size()},
                              iovec{const_cast<char*>(body.data()), body.size()}};
  std::span<iovec> left(pieces.data(), body.empty() ? 1 : 2);
  const IoResult result = channel.try_write(left);
  written = result.bytes;
  if (left.empty()) return true;
  if (result.error && !result.would_block()) return false;
  return std::nullopt;
}

}  // namespace

void append_head(std::string& out, const Response& response, const ResponseFrame& frame, std::string_view date) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(response.status));
  out += ' ';
  out += to_reason(response.status);
  out += "\r\nDate: ";
  out += date;
  out += "\r\n";
  append_field(out, "X-Request-Id", frame.request_id);
  for (const auto& [name, value] : response.headers.fields()) {
    if (!is_framing_field(name)) append_field(out, name, value);
  }
  if (frame.default_headers == nullptr) return;
  for (const auto& [name, value] : frame.default_headers->fields()) {
    if (!response.headers.find(name)) append_field(out, name, value);
  }
}

Task<bool> write_response(Channel& channel, Response& response, ResponseFrame& frame) {
  const bool bodiless = has_no_body(response.status);
  const auto length = length_of(response);
  const bool chunked = !length && !frame.is_http10;
  if (!length && !chunked) frame.keep_alive = false;

  std::string& head = channel.loop().scratch;
  head.clear();
  append_head(head, response, frame, channel.loop().date());
  const bool is_measured_by_handler = length == 0 && (frame.head_only || response.status == 304);
  if (const auto measured = response.headers.find("Content-Length"); measured && is_measured_by_handler) {
    append_field(head, "Content-Length", *measured);
  } else if (length && !bodiless) {
    head += "Content-Length: ";
    append_number(head, *length);
    head += "\r\n";
  } else if (chunked && !bodiless) {
    head += "Transfer-Encoding: chunked\r\n";
  }
  if (!frame.keep_alive) {
    head += "Connection: close\r\n";
  } else if (frame.is_http10) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";

  BodyWriter writer(channel, frame, chunked);
  if (!frame.head_only && !bodiless) {
    if (auto* parts = std::get_if<BodyParts>(&response.body)) co_return co_await writer.write_parts(head, *parts);
    if (auto* stream = std::get_if<BodyStream>(&response.body)) co_return co_await writer.write_stream(head, *stream);
  }
  std::string_view body;
  if (!frame.head_only && !bodiless) {
    if (const auto* text = std::get_if<std::string>(&response.body)) body = *text;
    if (const auto* text = std::get_if<std::shared_ptr<const std::string>>(&response.body); text != nullptr && *text)
      body = **text;
  }
  std::size_t written = 0;
  if (const auto outcome = try_write_text(channel, head, body, written)) co_return *outcome;
  // Only a peer slower than its answers comes here: the head must leave the loop's scratch before waiting.
  const std::size_t of_head = std::min(written, head.size());
  std::string rest = head.substr(of_head);
  body.remove_prefix(written - of_head);
  if (rest.empty()) co_return co_await channel.write(body, frame.stall);
  co_return co_await writer.write_text(std::move(rest), body);
}

}  // namespace clouddocs::net
