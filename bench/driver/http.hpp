// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "options.hpp"

namespace bench {

// What a small request carries: how a file's bytes are wrapped for the server measured.
enum class Style : std::uint8_t { put, multipart, json };

Style parse_style(std::string_view text);

// The bytes before and after a file's content: request line, headers, and for multipart the fields and the part's head.
struct Envelope {
  std::string before;
  std::string after;
};

// Options used: path, header (repeated), field (repeated, name=value). The name is appended to the path for `put`.
class RequestMaker {
 public:
  explicit RequestMaker(const Options& options);
  Envelope envelope(std::string_view filename, std::uint64_t size) const;
  // A whole request with the content given; for `json` the body is {"filename": ...}.
  std::string request(std::string_view filename, std::string_view content) const;

 private:
  Style style_;
  std::string path_;
  std::string headers_;
  std::string fields_;
};

std::string joined_headers(const Options& options);

// Reads one answer with a Content-Length (or none: no body) out of bytes as they arrive.
class Answer {
 public:
  // True when the answer is complete.
  bool feed(std::string_view bytes);
  int status() const { return status_; }
  std::string_view body() const { return std::string_view(buffer_).substr(head_size_); }
  bool has_head() const { return head_size_ != 0; }
  std::uint64_t content_length() const { return content_length_; }
  void clear();

 private:
  void parse_head(std::string_view head);

  std::string buffer_;
  std::size_t head_size_ = 0;
  std::uint64_t content_length_ = 0;
  int status_ = 0;
};

// The text with what JSON demands escaped, in quotes.
std::string quoted(std::string_view text);

}  // namespace bench
