// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace clouddocs::core {

// base64url without padding (RFC 4648, section 5). Decoding is strict: no padding, no other characters, no stray bits.
std::string to_base64url(ByteView bytes);
void append_base64url(std::string& out, ByteView bytes);
std::optional<Bytes> from_base64url(std::string_view text);
// Decodes into a fixed array; false when the text is not exactly that long or not valid.
bool from_base64url(std::string_view text, std::span<std::byte> out);

// Lower-case hexadecimal; decoding takes both cases.
std::string to_hex(ByteView bytes);
void append_hex(std::string& out, ByteView bytes);
std::optional<Bytes> from_hex(std::string_view text);

// Standard base64 with padding (RFC 4648, section 4), as Sec-WebSocket-Accept needs.
std::string to_base64(ByteView bytes);

// Percent-decoding of a URL part (RFC 3986); nullopt for a malformed escape. `plus_is_space` for query strings.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
// Percent-encodes everything outside the unreserved set of RFC 3986.
std::string percent_encode(std::string_view text);

// Whether the text is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

// Compares in time that depends on the lengths only.
bool equal_constant_time(ByteView a, ByteView b);

}  // namespace clouddocs::core
