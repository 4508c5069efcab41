// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/cursor.hpp"

#include "core/encoding.hpp"

namespace clouddocs::storage {

std::string to_text(const Cursor& cursor) {
  core::Bytes bytes(cursor.space.bytes.begin(), cursor.space.bytes.end());
  core::append_little_endian(bytes, static_cast<std::uint32_t>(cursor.epoch));
  core::append_little_endian(bytes, static_cast<std::uint64_t>(cursor.seq));
  return core::to_base64url(bytes);
}

std::optional<Cursor> parse_cursor(std::string_view text) {
  std::array<std::byte, 28> bytes{};
  if (!core::from_base64url(text, bytes)) return std::nullopt;
  Cursor cursor;
  std::memcpy(cursor.space.bytes.data(), bytes.data(), 16);
  cursor.epoch = core::load_little_endian<std::uint32_t>(bytes.data() + 16);
  cursor.seq = static_cast<std::int64_t>(core::load_little_endian<std::uint64_t>(bytes.data() + 20));
  if (cursor.seq < 0) return std::nullopt;
  return cursor;
}

}  // namespace clouddocs::storage
