// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http.hpp"

#include <strings.h>

#include <charconv>
#include <stdexcept>

namespace bench {
namespace {

constexpr std::string_view boundary = "----bench-4f1d6c2e9a7b";

std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const auto line = head.substr(at + 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (::strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    const auto begin = line.find_first_not_of(' ', name.size() + 1);
    return line.substr(begin, line.find("\r\n") - begin);
  }
  return std::nullopt;
}

}  // namespace

Style parse_style(std::string_view text) {
  if (text == "put") return Style::put;
  if (text == "multipart") return Style::multipart;
  if (text == "json") return Style::json;
  throw std::runtime_error("style must be put, multipart or json");
}

std::string joined_headers(const Options& options) {
  std::string out = "Host: 127.0.0.1\r\n";
  for (const auto& line : options.all("header")) out.append(line).append("\r\n");
  return out;
}

RequestMaker::RequestMaker(const Options& options)
    : style_(parse_style(options.text("style", "put"))),
      path_(options.text("path", "/")),
      headers_(joined_headers(options)) {
  for (const auto& field : options.all("field")) {
    const auto equals = field.find('=');
    fields_.append("--").append(boundary).append("\r\nContent-Disposition: form-data; name=\"");
    fields_.append(field, 0, equals).append("\"\r\n\r\n").append(field, equals + 1).append("\r\n");
  }
}

Envelope RequestMaker::envelope(std::string_view filename, std::uint64_t size) const {
  Envelope out;
  if (style_ == Style::put) {
    out.before.append("PUT ").append(path_).append(filename).append(" HTTP/1.1\r\n").append(headers_);
    out.before.append("Content-Length: ").append(std::to_string(size)).append("\r\n\r\n");
    return out;
  }
  std::string part = fields_;
  part.append("--")
      .append(boundary)
      .append("\r\nContent-Disposition: form-data; name=\"file\"; filename=\"")
      .append(filename);
  part.append("\"\r\nContent-Type: application/octet-stream\r\n\r\n");
  out.after.append("\r\n--").append(boundary).append("--\r\n");
  out.before.append("POST ").append(path_).append(" HTTP/1.1\r\n").append(headers_);
  out.before.append("Content-Type: multipart/form-data; boundary=").append(boundary).append("\r\nContent-Length: ");
  out.before.append(std::to_string(part.size() + size + out.after.size())).append("\r\n\r\n").append(part);
  return out;
}

std::string RequestMaker::request(std::string_view filename, std::string_view content) const {
  if (style_ == Style::json) {
    const std::string body = "{\"filename\":\"" + std::string(filename) + "\"}";
    return "POST " + path_ + " HTTP/1.1\r\n" + headers_ +
           "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  Envelope wrapped = envelope(filename, content.size());
  return std::move(wrapped.before.append(content).append(wrapped.after));
}

bool Answer::feed(std::string_view bytes) {
  buffer_.append(bytes);
  if (head_size_ == 0) {
    const auto end = buffer_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    head_size_ = end + 4;
    parse_head(std::string_view(buffer_).substr(0, head_size_));
  }
  return buffer_.size() >= head_size_ + content_length_;
}

void Answer::parse_head(std::string_view head) {
  if (head.size() < 12 || !head.starts_with("HTTP/1.1 ")) throw std::runtime_error("this is no HTTP answer");
  std::from_chars(head.data() + 9, head.data() + 12, status_);
  if (const auto length = header(head, "content-length")) {
    std::from_chars(length->data(), length->data() + length->size(), content_length_);
  } else if (header(head, "transfer-encoding")) {
    throw std::runtime_error("chunked answers are not expected here");
  }
}

void Answer::clear() { *this = Answer(); }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out += '"';
}

}  // namespace bench
