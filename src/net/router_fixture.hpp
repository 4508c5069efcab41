// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/encoding.hpp"
#include "net/router.hpp"
#include "testing/run.hpp"

// For tests: asks a router without sockets.
namespace clouddocs::net {

// A body that arrives in pieces of at most `piece` bytes.
class FakeBody final : public BodyReader {
 public:
  explicit FakeBody(std::string text, std::size_t piece = 1U << 16, bool has_length = true)
      : text_(std::move(text)), piece_(piece), has_length_(has_length) {}
  std::optional<std::uint64_t> content_length() const override {
    return has_length_ ? std::optional<std::uint64_t>(text_.size()) : std::nullopt;
  }
  core::Task<core::Result<core::ByteView>> read() override {
    if (before_piece) before_piece(at_);
    const auto part = std::string_view(text_).substr(at_, piece_);
    at_ += part.size();
    if (at_ > limit_) co_return core::Error(core::Errc::body_too_large, "The body is too large.");
    if (part.empty() && ends_early) co_return core::Error(core::Errc::upload_incomplete, "The peer went away.");
    co_return core::as_bytes(part);
  }
  void set_limit(std::uint64_t bytes) override { limit_ = bytes; }

  std::function<void(std::size_t)> before_piece;
  bool ends_early = false;  // the peer goes away instead of ending the body

 private:
  std::string text_;
  std::size_t piece_;
  bool has_length_;
  std::size_t at_ = 0;
  std::uint64_t limit_ = std::numeric_limits<std::uint64_t>::max();
};

// The bytes of a body, files read from their descriptors, streams to their end.
inline std::string read_body(decltype(Response::body)& body) {
  if (const auto* text = std::get_if<std::string>(&body)) return *text;
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body)) return **shared;
  std::string out;
  if (const auto* parts = std::get_if<BodyParts>(&body)) {
    for (const auto& part : parts->parts) {
      if (const auto* memory = std::get_if<std::shared_ptr<const std::string>>(&part)) {
        out += **memory;
        continue;
      }
      const auto& region = std::get<FileRegion>(part);
      std::string bytes(region.length, '\0');
      EXPECT_EQ(::pread(region.fd, bytes.data(), bytes.size(), static_cast<off_t>(region.offset)),
                static_cast<ssize_t>(bytes.size()));
      out += bytes;
    }
    EXPECT_EQ(out.size(), parts->length);
  } else if (auto* stream = std::get_if<BodyStream>(&body)) {
    auto read = [&]() -> core::Task<> {
      for (;;) {
        const auto piece = co_await stream->source->next();
        if (piece.empty()) co_return;
        out += core::as_text(piece);
      }
    };
    testing::run(read);
    if (stream->length) EXPECT_EQ(out.size(), *stream->length);
  }
  return out;
}

// An answer with its body read.
struct Reply {
  int status = 0;
  Headers headers;
  std::string body;

  std::string header(std::string_view name) const { return std::string(headers.find(name).value_or("")); }
  boost::json::object json() const {
    boost::system::error_code error;
    auto value = boost::json::parse(body, error);
    EXPECT_TRUE(!error && value.is_object()) << body;
    return value.is_object() ? value.get_object() : boost::json::object();
  }
  // The code of a problem document.
  std::string code() const {
    const auto object = json();
    const auto* code = object.if_contains("code");
    return code != nullptr && code->is_string() ? std::string(code->get_string()) : "";
  }
  std::string text(std::string_view member) const {
    const auto object = json();
    const auto* value = object.if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  }
};

class RouterClient {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  explicit RouterClient(const Router& router) : router_(router) {}

  // Sent with every request; "" for none.
  std::string token;
  std::string peer = "192.0.2.1";
  bool secure = false;
  Fields headers;

  Reply ask(Method method, const std::string& target, const Fields& fields = {}, BodyReader* body = nullptr) {
    Response response = respond(method, target, fields, body);
    return {response.status, response.headers, read_body(response.body)};
  }
  Reply get(const std::string& target, const Fields& fields = {}) { return ask(Method::get, target, fields); }
  Reply del(const std::string& target) { return ask(Method::del, target); }
  Reply send(Method method, const std::string& target, const boost::json::value& value) {
    FakeBody body(boost::json::serialize(value));
    return ask(method, target, {{"Content-Type", "application/json"}}, &body);
  }
  Reply post(const std::string& target, const boost::json::value& value) { return send(Method::post, target, value); }
  Reply post(const std::string& target) { return ask(Method::post, target); }

  Response respond(Method method, const std::string& target, const Fields& fields, BodyReader* body) {
    Request request;
    request.method = method;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    request.query = parse_query(target);
    request.peer = peer;
    request.secure = secure;
    request.id = "test";
    request.body = body;
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    for (const Fields* list : {static_cast<const Fields*>(&headers), &fields}) {
      for (const auto& [name, value] : *list) request.headers.add(name, value);
    }
    return testing::run(router_.dispatch(request));
  }

 private:
  static Fields parse_query(const std::string& target) {
    Fields out;
    const auto mark = target.find('?');
    std::string_view rest = mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
    while (!rest.empty()) {
      const auto one = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      const auto equals = std::min(one.find('='), one.size());
      out.emplace_back(one.substr(0, equals),
                       core::percent_decode(one.substr(std::min(one.size(), equals + 1)), true).value_or(""));
    }
    return out;
  }

  const Router& router_;
};

}  // namespace clouddocs::net
