// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/download.hpp"

#include <charconv>

#include "core/encoding.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;
using core::Error;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

core::Result<ByteRange> parse_range(std::optional<std::string_view> header, std::uint64_t size) {
  const ByteRange whole{0, size, false};
  if (!header || !header->starts_with("bytes=")) return whole;
  const auto spec = trim(header->substr(6));
  const auto dash = spec.find('-');
  if (spec.find(',') != std::string_view::npos || dash == std::string_view::npos) return whole;
  const auto first = parse_number(spec.substr(0, dash));
  const auto last = parse_number(spec.substr(dash + 1));
  const Error outside(Errc::range_invalid,
                      "The content has " + std::to_string(size) + " bytes; the range lies outside.");
  if (dash == 0) {  // the last n bytes
    if (!last) return whole;
    if (*last == 0 || size == 0) return outside;
    const auto length = std::min(*last, size);
    return ByteRange{size - length, length, true};
  }
  if (!first || (dash + 1 < spec.size() && !last) || (last && *last < *first)) return whole;
  if (*first >= size) return outside;
  const auto end = last ? std::min(*last, size - 1) : size - 1;
  return ByteRange{*first, end - *first + 1, true};
}

std::string content_disposition(std::string_view filename) {
  std::string ascii;
  for (const char c : filename) {
    const bool plain = c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '%';
    ascii += plain ? c : '_';
  }
  return "attachment; filename=\"" + ascii + "\"; filename*=UTF-8''" + core::percent_encode(filename);
}

bool matches_etag(std::string_view header, std::string_view etag) {
  while (!header.empty()) {
    const auto comma = header.find(',');
    auto candidate = trim(header.substr(0, comma));
    if (candidate.starts_with("W/")) candidate.remove_prefix(2);
    if (candidate == "*" || candidate == etag) return true;
    if (comma == std::string_view::npos) return false;
    header.remove_prefix(comma + 1);
  }
  return false;
}

Task<Result<net::Response>> respond_with_content(const net::Request& request, ContentReader& reader, SpaceId space,
                                                 const Node& node, const Version& version) {
  const std::string etag = "\"" + core::to_hex(version.content_id) + "\"";
  net::Response response;
  response.headers.add("ETag", etag);
  response.headers.add("Cache-Control", "private, no-cache");
  if (const auto known = request.headers.find("If-None-Match"); known && matches_etag(*known, etag)) {
    response.status = 304;
    co_return response;
  }
  auto range_header = request.headers.find("Range");
  const auto if_range = request.headers.find("If-Range");
  if (if_range && trim(*if_range) != etag) range_header.reset();
  const auto size = static_cast<std::uint64_t>(version.size);
  auto range = parse_range(range_header, size);
  if (range.has_error()) {
    net::Response refused = net::problem(range.error(), request.id);
    refused.headers.set("Content-Range", "bytes */" + std::to_string(size));
    co_return refused;
  }
  const ByteRange part = range.value();
  response.headers.add("Accept-Ranges", "bytes");
  response.headers.add("Content-Type", node.mime.value_or("application/octet-stream"));
  response.headers.add("Content-Disposition", content_disposition(node.filename));
  response.headers.add("Content-Security-Policy", "sandbox; default-src 'none'");
  if (part.partial) {
    response.status = 206;
    response.headers.add("Content-Range", "bytes " + std::to_string(part.offset) + "-" +
                                              std::to_string(part.offset + part.length - 1) + "/" +
                                              std::to_string(size));
  }
  if (part.length > 0) {
    CO_TRY(response.body, co_await reader.open(space, version, part.offset, part.length));
  }
  co_return response;
}

}  // namespace clouddocs::storage
