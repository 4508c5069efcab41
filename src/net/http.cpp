// SPDX-License-Identifier: AGPL-3.0-or-later
#include "net/http.hpp"

#include "net/ascii.hpp"

namespace clouddocs::net {

using core::Errc;
using core::Error;

std::string_view to_text(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::head: return "HEAD";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::patch: return "PATCH";
    case Method::del: return "DELETE";
    case Method::options: return "OPTIONS";
    case Method::other: return "OTHER";
  }
  return "OTHER";
}

void Headers::set(std::string_view name, std::string_view value) {
  std::erase_if(fields_, [&](const auto& field) { return equal_ignoring_case(field.first, name); });
  fields_.emplace_back(name, value);
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (equal_ignoring_case(field, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string_view Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

core::Task<core::Result<std::string>> Request::read_text(std::size_t limit) {
  std::string text;
  if (body == nullptr) co_return text;
  const auto length = body->content_length();
  if (length && *length > limit)
    co_return Error(Errc::body_too_large, "The body may have " + std::to_string(limit) + " bytes at most.");
  if (length) text.reserve(static_cast<std::size_t>(*length));
  while (true) {
    CO_TRY(const core::ByteView piece, co_await body->read());
    if (piece.empty()) co_return text;
    if (piece.size() > limit - text.size()) {
      co_return Error(Errc::body_too_large, "The body may have " + std::to_string(limit) + " bytes at most.");
    }
    text += core::as_text(piece);
  }
}

namespace {

// "application/json" or "application/<something>+json", parameters ignored. A form or text/plain body, which a foreign page can make a
// browser send without asking, never counts as JSON.
bool is_json_type(std::string_view type) {
  type = trim(type.substr(0, type.find(';')));
  if (equal_ignoring_case(type, "application/json")) return true;
  return type.size() > 17 && equal_ignoring_case(type.substr(0, 12), "application/") &&
         equal_ignoring_case(type.substr(type.size() - 5), "+json");
}

// How many members the objects of a valid JSON text have as written: each has one colon outside of strings.
std::size_t members_written(std::string_view text) {
  std::size_t count = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (in_string && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      in_string = !in_string;
    } else if (!in_string && text[at] == ':') {
      ++count;
    }
  }
  return count;
}

std::size_t members_kept(const boost::json::value& value) {
  std::size_t count = 0;
  if (const auto* object = value.if_object()) {
    count = object->size();
    for (const auto& member : *object) count += members_kept(member.value());
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) count += members_kept(item);
  }
  return count;
}

}  // namespace

core::Task<core::Result<boost::json::object>> Request::read_json(std::size_t limit) {
  if (!is_json_type(headers.find("Content-Type").value_or(""))) {
    co_return Error(Errc::unsupported_media_type, "Send the body as Content-Type: application/json.");
  }
  CO_TRY(const std::string text, co_await read_text(limit));
  boost::json::parse_options options;
  options.max_depth = 32;
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(text, error, {}, options);
  if (error) co_return Error(Errc::invalid_json, "The body is not valid JSON: " + error.message() + ".");
  if (!value.is_object()) co_return Error(Errc::invalid_json, "The body must be a JSON object.");
  // Boost.JSON keeps the last of two members of one name; another reader on the way may have kept the first.
  if (members_written(text) != members_kept(value))
    co_return Error(Errc::invalid_json, "An object of the body repeats a key.");
  co_return std::move(value.get_object());
}

Response Response::json(const boost::json::value& value, int status) {
  return text(boost::json::serialize(value), "application/json", status);
}

Response Response::text(std::string text, std::string_view type, int status) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", type);
  response.body = std::move(text);
  return response;
}

Response Response::empty(int status) {
  Response response;
  response.status = status;
  return response;
}

}  // namespace clouddocs::net
