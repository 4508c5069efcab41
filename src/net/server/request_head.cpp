// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/server/request_head.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <cstring>

#include "core/encoding.hpp"
#include "net/ascii.hpp"

namespace clouddocs::net {

namespace http = boost::beast::http;
using boost::system::error_code;

std::optional<std::size_t> HeadScanner::scan(std::string_view bytes) {
  if (refusal_) return std::nullopt;
  while (scanned_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (found == nullptr) {
      scanned_ = bytes.size();
      return std::nullopt;
    }
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    const std::string_view line = bytes.substr(line_start_, at - line_start_);
    if (!line.ends_with('\r')) {
      refusal_ = Refusal{400, "invalid_request", "Lines of a request end in CR LF."};
      return std::nullopt;
    }
    if (line_start_ > 0 && (line.front() == ' ' || line.front() == '\t')) {
      refusal_ = Refusal{400, "invalid_request", "Folded header lines are not accepted."};
      return std::nullopt;
    }
    if (line.size() == 1) return at + 1;
    line_start_ = scanned_ = at + 1;
  }
  return std::nullopt;
}

namespace {

Method to_method(http::verb verb) {
  switch (verb) {
    case http::verb::get: return Method::get;
    case http::verb::head: return Method::head;
    case http::verb::post: return Method::post;
    case http::verb::put: return Method::put;
    case http::verb::patch: return Method::patch;
    case http::verb::delete_: return Method::del;
    case http::verb::options: return Method::options;
    default: return Method::other;
  }
}

// Beast's tokenizer, with stricter rules for what decides where the message ends.
class HeadParser : public http::basic_parser<true> {
 public:
  HeadParser(Request& request, Framing& framing) : request_(request), framing_(framing) {
    header_limit(UINT32_MAX);  // the connection has counted already
    body_limit(boost::none);
  }
  const char* fault = nullptr;
  bool is_unsupported_coding = false;
  int hosts = 0;

 private:
  using string_view = boost::beast::string_view;

  void on_request_impl(http::verb verb, string_view method, string_view target, int version, error_code&) override {
    request_.method = to_method(verb);
    if (request_.method == Method::other) request_.method_name = method;
    request_.target = target;
    framing_.is_http10 = version == 10;
    framing_.keep_alive = !framing_.is_http10;
  }

  void on_field_impl(http::field field, string_view name, string_view value, error_code& error) override {
    request_.headers.add(name, value);
    switch (field) {
      case http::field::host: ++hosts; break;
      case http::field::content_length: on_content_length(value); break;
      case http::field::transfer_encoding: on_transfer_encoding(value); break;
      case http::field::connection:
        if (list_contains(value, "close")) {
          framing_.keep_alive = false;
        } else if (framing_.is_http10 && list_contains(value, "keep-alive")) {
          framing_.keep_alive = true;
        }
        break;
      case http::field::expect: framing_.expects_continue = equal_ignoring_case(value, "100-continue"); break;
      default: break;
    }
    if (fault != nullptr) error = http::error::bad_value;
  }

  // Digits only, once: two lengths, a list or a sign are how requests are smuggled past a proxy (RFC 9112, 6.3).
  void on_content_length(std::string_view value) {
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, framing_.content_length);
    if (value.empty() || error != std::errc() || stop != end) fault = "Content-Length is not a number.";
    if (has_length_ || framing_.chunked) fault = "The request states its length twice.";
    has_length_ = true;
  }

  void on_transfer_encoding(std::string_view value) {
    if (has_length_ || framing_.chunked) fault = "The request states its length twice.";
    if (framing_.is_http10) fault = "HTTP/1.0 has no Transfer-Encoding.";
    if (!equal_ignoring_case(value, "chunked")) {
      is_unsupported_coding = true;
      fault = "The only Transfer-Encoding accepted is chunked.";
    }
    framing_.chunked = true;
  }

  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override { return body.size(); }
  void on_finish_impl(error_code&) override {}

  Request& request_;
  Framing& framing_;
  bool has_length_ = false;
};

// Path and query of "/path?query" or "http://host/path?query" (RFC 9112, 3.2). False for other forms and broken escapes.
bool split_target(Request& request) {
  std::string_view target = request.target;
  if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != std::string_view::npos) {
    const auto slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (!target.starts_with('/') && !(target == "*" && request.method == Method::options)) return false;
  const auto mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark == std::string_view::npos) return true;
  std::string_view query = target.substr(mark + 1);
  while (!query.empty()) {
    const auto ampersand = query.find('&');
    const std::string_view pair = query.substr(0, ampersand);
    query.remove_prefix(ampersand == std::string_view::npos ? query.size() : ampersand + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = core::percent_decode(pair.substr(0, equals), true);
    auto value =
        core::percent_decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    request.query.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

bool names_other_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const auto space = line.rfind(' ');
  return space != std::string_view::npos && line.substr(space + 1).starts_with("HTTP/") && line.size() - space == 9;
}

}  // namespace

std::optional<Refusal> parse_head(std::string_view head, Request& request, Framing& framing) {
  HeadParser parser(request, framing);
  error_code error;
  parser.put(boost::asio::buffer(head), error);
  if (parser.is_unsupported_coding && error == http::error::bad_value)
    return Refusal{501, "not_implemented", parser.fault};
  if (parser.fault != nullptr) return Refusal{400, "invalid_request", parser.fault};
  if (error == http::error::bad_version && names_other_version(head)) {
    return Refusal{505, "version_not_supported", "This server speaks HTTP/1.1 and HTTP/1.0."};
  }
  if (error || !parser.is_header_done())
    return Refusal{400, "invalid_request", "The request line or a header field is malformed."};
  if (parser.hosts > 1 || (parser.hosts == 0 && !framing.is_http10))
    return Refusal{400, "invalid_request", "A request has one Host field."};
  if (!split_target(request)) return Refusal{400, "invalid_request", "The request target is malformed."};
  return std::nullopt;
}

}  // namespace clouddocs::net
