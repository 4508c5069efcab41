// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/encoding.hpp"

#include <openssl/crypto.h>

#include <array>

namespace clouddocs::core {
namespace {

constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<signed char, 256> make_reverse(std::string_view from) {
  std::array<signed char, 256> out{};
  out.fill(-1);
  for (std::size_t i = 0; i < from.size(); ++i) out[static_cast<unsigned char>(from[i])] = static_cast<signed char>(i);
  return out;
}
constexpr auto url_reverse = make_reverse(url_alphabet);

void append_encoded(std::string& out, ByteView bytes, std::string_view digits) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() * 4 + 2) / 3);
  char* to = out.data() + start;
  auto at = [&](std::size_t k) { return static_cast<unsigned>(bytes[k]); };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const unsigned v = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    *to++ = digits[v >> 18];
    *to++ = digits[v >> 12 & 63];
    *to++ = digits[v >> 6 & 63];
    *to++ = digits[v & 63];
  }
  if (bytes.size() - i == 1) {
    const unsigned v = at(i) << 4;
    *to++ = digits[v >> 6];
    *to++ = digits[v & 63];
  } else if (bytes.size() - i == 2) {
    const unsigned v = at(i) << 10 | at(i + 1) << 2;
    *to++ = digits[v >> 12];
    *to++ = digits[v >> 6 & 63];
    *to++ = digits[v & 63];
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void append_base64url(std::string& out, ByteView bytes) { append_encoded(out, bytes, url_alphabet); }

std::string to_base64url(ByteView bytes) {
  std::string out;
  append_base64url(out, bytes);
  return out;
}

std::string to_base64(ByteView bytes) {
  std::string out;
  append_encoded(out, bytes, alphabet);
  while (out.size() % 4 != 0) out += '=';
  return out;
}

bool from_base64url(std::string_view text, std::span<std::byte> out) {
  if (text.size() != (out.size() * 4 + 2) / 3) return false;
  unsigned bits = 0;
  int have = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const int digit = url_reverse[static_cast<unsigned char>(c)];
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<unsigned>(digit);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out[at++] = static_cast<std::byte>(bits >> have);
    }
  }
  return (bits & ((1U << have) - 1)) == 0;
}

std::optional<Bytes> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  Bytes out(text.size() * 3 / 4);
  if (!from_base64url(text, std::span(out))) return std::nullopt;
  return out;
}

void append_hex(std::string& out, ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::size_t start = out.size();
  out.resize(start + bytes.size() * 2);
  char* to = out.data() + start;
  for (const auto b : bytes) {
    *to++ = digits[static_cast<unsigned>(b) >> 4];
    *to++ = digits[static_cast<unsigned>(b) & 15];
  }
}

std::string to_hex(ByteView bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      out += {'%', digits[static_cast<unsigned char>(c) >> 4], digits[static_cast<unsigned char>(c) & 15]};
    }
  }
  return out;
}

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = 0;
    unsigned code = 0;
    if (lead < 0x80) {
      ++i;
      continue;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
      length = 2;
      code = lead & 0x1FU;
    } else if ((lead & 0xF0) == 0xE0) {
      length = 3;
      code = lead & 0x0FU;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      length = 4;
      code = lead & 0x07U;
    } else {
      return false;
    }
    if (i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      code = code << 6 | (next & 0x3FU);
    }
    if (length == 3 && (code < 0x800 || (code >= 0xD800 && code <= 0xDFFF))) return false;
    if (length == 4 && (code < 0x10000 || code > 0x10FFFF)) return false;
    i += length;
  }
  return true;
}

bool equal_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace clouddocs::core
