// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <atomic>
#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "core/task.hpp"

namespace clouddocs::net {

class WebSocket;

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };
std::string_view to_text(Method method);

// Header fields in order; names compare without case.
class Headers {
 public:
  void add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }
  void set(std::string_view name, std::string_view value);
  std::optional<std::string_view> find(std::string_view name) const;
  std::span<const std::pair<std::string, std::string>> fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// The body of a request as it arrives: reading is what asks the peer for more, so a slow handler slows its client and nobody else.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // The declared length; nullopt for a chunked body.
  virtual std::optional<std::uint64_t> content_length() const = 0;
  // The next piece, borrowed until the next call; empty at the end. Errors: upload_incomplete (the peer went away or stalled),
  // body_too_large (limit passed), invalid_request (broken chunked coding).
  virtual core::Task<core::Result<core::ByteView>> read() = 0;
  // Lowers or raises what read() yields in all before it answers body_too_large; the router sets it from the route.
  virtual void set_limit(std::uint64_t /*bytes*/) {}
  // From when `revoked` is set read() fails with token_invalid, within half a second also while the peer sends nothing.
  virtual void end_when(std::shared_ptr<const std::atomic<bool>> /*revoked*/) {}
};

// One request. Lives until its response has been written; used by one coroutine.
struct Request {
  Method method = Method::get;
  std::string method_name;  // as sent, for Method::other
  std::string target;  // as sent
  std::string path;  // the part before '?', still percent-encoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded
  std::vector<std::pair<std::string, std::string>> parameters;  // of the route, decoded
  Headers headers;
  std::string peer;  // the client's address, from X-Forwarded-For when a trusted proxy sent it
  bool secure = false;  // TLS here, or at the trusted proxy
  std::string id;  // X-Request-Id
  std::string_view route;  // pattern of the route that took the request, "" for none
  BodyReader* body = nullptr;
  std::shared_ptr<void> session;  // what a filter found out about the caller (features/auth)

  std::optional<std::string_view> query_value(std::string_view name) const;
  std::string_view parameter(std::string_view name) const;  // "" when the route has no such parameter

  // Reads the whole body. Errors: body_too_large, upload_incomplete.
  core::Task<core::Result<std::string>> read_text(std::size_t limit);
  // Reads a JSON object. Errors: as read_text, invalid_json, unsupported_media_type. Depth is limited to 32.
  core::Task<core::Result<boost::json::object>> read_json(std::size_t limit = 1U << 20);
};

// A part of an open file, sent with sendfile(2) where the connection allows. `owner` keeps the descriptor open.
struct FileRegion {
  std::shared_ptr<const void> owner;
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Bytes made while they are sent: the next piece, borrowed until the next call; empty at the end. Throws to cut the connection.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual core::Task<core::ByteView> next() = 0;
};

// A body of known length in parts: memory and file regions in order (frames of a bulk answer, ranges of a download).
struct BodyParts {
  using Part = std::variant<std::shared_ptr<const std::string>, FileRegion>;
  std::vector<Part> parts;
  std::uint64_t length = 0;
};

struct BodyStream {
  std::unique_ptr<BodySource> source;
  std::optional<std::uint64_t> length;  // nullopt: chunked coding
};

// Takes over the connection after the 101 answer; the connection closes when it returns.
using WebSocketSession = std::function<core::Task<>(WebSocket&)>;

struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, std::shared_ptr<const std::string>, BodyParts, BodyStream, WebSocketSession> body;

  static Response json(const boost::json::value& value, int status = 200);
  static Response text(std::string text, std::string_view type = "text/plain; charset=utf-8", int status = 200);
  static Response empty(int status = 204);
};

// application/problem+json (RFC 9457): {"type", "title", "status", "code", "detail", "request_id", ...extension}.
// The single table from Errc to HTTP status. 429 and 503 carry Retry-After.
Response problem(const core::Error& error, std::string_view request_id = {});
int to_status(core::Errc code);
// A problem of HTTP itself, which no Errc stands for (408, 501, 505).
Response protocol_problem(int status, std::string_view code, std::string_view detail, std::string_view request_id = {});
// The reason phrase of a status ("Not Found").
std::string_view to_reason(int status);

using Handler = std::function<core::Task<core::Result<Response>>(Request&)>;
// Runs before the handler; an error ends the request.
using Filter = std::function<core::Task<core::Result<>>(Request&)>;

}  // namespace clouddocs::net
