// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include "features/storage/content_reader.hpp"
#include "net/http.hpp"

namespace clouddocs::storage {

// A range of a content, from "Range: bytes=..." (RFC 9110, section 14).
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool partial = false;
};

// The range that a request asks for. A header that is malformed, of another unit or with several ranges is ignored, as the RFC allows: the whole is
// sent. Errors: range_invalid (nothing of the range exists).
core::Result<ByteRange> parse_range(std::optional<std::string_view> header, std::uint64_t size);

// "attachment" with an ASCII file name and the full one (RFC 6266, RFC 8187): safe for any name.
std::string content_disposition(std::string_view filename);

// Whether an If-None-Match or If-Range value names this entity tag (weak comparison; "*" matches).
bool matches_etag(std::string_view header, std::string_view etag);

// Answers GET and HEAD of a content: ETag, If-None-Match, Range, If-Range. Foreign content never runs in the app's origin: it is sent as an
// attachment, sandboxed, and not sniffed.
Task<Result<net::Response>> respond_with_content(const net::Request& request, ContentReader& reader, SpaceId space,
                                                 const Node& node, const Version& version);

}  // namespace clouddocs::storage
