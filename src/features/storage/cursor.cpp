// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/cursor.hpp"

#include "core/encoding.hpp"

namespace clouddocs::storage {

std::string to_text(const Cursor& cursor) {
  core::Bytes bytes(cursor.space.bytes.begin(), cursor.space.bytes.end());
  core::append_little_endian(bytes, static_cast<std::uint32_t>(cursor.epoch));
  core::append_little_endian(bytes, static_cast<std::uint64_t>(cursor.seq));
  if (cursor.listing_floor) core::append_little_endian(bytes, static_cast<std::uint64_t>(*cursor.listing_floor));
  return core::to_base64url(bytes);
}

std::optional<Cursor> parse_cursor(std::string_view text) {
  constexpr std::size_t size = 28;
  const auto bytes = core::from_base64url(text.substr(0, 64));
  if (!bytes || (bytes->size() != size && bytes->size() != size + 8)) return std::nullopt;
  Cursor cursor;
  std::memcpy(cursor.space.bytes.data(), bytes->data(), 16);
  cursor.epoch = core::load_little_endian<std::uint32_t>(bytes->data() + 16);
  cursor.seq = static_cast<std::int64_t>(core::load_little_endian<std::uint64_t>(bytes->data() + 20));
  if (bytes->size() > size) {
    cursor.listing_floor = static_cast<std::int64_t>(core::load_little_endian<std::uint64_t>(bytes->data() + size));
  }
  if (cursor.seq < 0) return std::nullopt;
  return cursor;
}

}  // namespace clouddocs::storage
