// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/scan/local_name.hpp"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "content/sha256.hpp"
#include "core/encoding.hpp"

namespace clouddocs::client {
namespace {

constexpr std::size_t name_max = 255;  // bytes, on every file system in use on Linux
constexpr std::size_t max_extension = 16;

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

}  // namespace

bool is_own_name(std::string_view local_name) {
  return local_name == own_folder || local_name.starts_with(temporary_prefix);
}

std::optional<std::string> to_remote_name(std::string_view local_name) {
  if (is_ascii(local_name)) return std::string(local_name);
  if (!core::is_utf8(local_name)) return std::nullopt;
  utf8proc_uint8_t* composed = nullptr;
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(local_name.data()),
                                   static_cast<utf8proc_ssize_t>(local_name.size()), &composed,
                                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, std::free);
  if (length < 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(composed), static_cast<std::size_t>(length));
}

std::string to_printable(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    std::size_t size = 1;
    while (size < 4 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) ++size;
    const bool is_whole = core::is_utf8(text.substr(0, size));
    const std::string_view shown = is_whole ? text.substr(0, size) : "\xEF\xBF\xBD";
    if (out.size() + shown.size() > limit) break;
    out += shown;
    text.remove_prefix(is_whole ? size : 1);
  }
  return out;
}

std::string to_local_name(std::string_view remote_name, bool is_taken) {
  const bool is_plain = remote_name.size() <= name_max && !is_own_name(remote_name) && remote_name != "." &&
                        remote_name != ".." && remote_name.find('/') == std::string_view::npos && !remote_name.empty();
  if (is_plain && !is_taken) return std::string(remote_name);
  const auto hash = content::sha256(core::as_bytes(remote_name));
  const auto mark = "~" + core::to_hex(core::ByteView(hash).first(4));
  std::string clean(remote_name);
  for (auto& c : clean) {
    if (c == '/') c = '_';
  }
  auto dot = clean.rfind('.');
  if (dot == std::string::npos || dot == 0 || clean.size() - dot > max_extension) dot = clean.size();
  const auto extension = clean.substr(dot);
  auto keep = std::min(dot, name_max - mark.size() - extension.size());
  while (keep > 0 && keep < clean.size() && (static_cast<unsigned char>(clean[keep]) & 0xC0U) == 0x80U) --keep;
  auto stem = clean.substr(0, keep);
  if (is_own_name(remote_name)) stem.insert(0, "_");
  return stem + mark + extension;
}

}  // namespace clouddocs::client
