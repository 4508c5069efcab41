// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/ids.hpp"

#include "core/encoding.hpp"

namespace clouddocs::core {

std::array<std::byte, 16> make_uuid_v7(Timestamp now, Random& random) {
  std::array<std::byte, 16> out{};
  random.fill(out);
  const auto millis = static_cast<std::uint64_t>(to_micros(now) / 1000);
  for (int i = 0; i < 6; ++i) out[static_cast<std::size_t>(i)] = static_cast<std::byte>(millis >> (8 * (5 - i)));
  out[6] = (out[6] & std::byte{0x0F}) | std::byte{0x70};
  out[8] = (out[8] & std::byte{0x3F}) | std::byte{0x80};
  return out;
}

std::string to_text(ByteView id) { return to_base64url(id); }

void append_text(std::string& out, const FileId& id) {
  std::array<std::byte, 32> both{};
  std::memcpy(both.data(), id.space.bytes.data(), 16);
  std::memcpy(both.data() + 16, id.node.bytes.data(), 16);
  append_base64url(out, both);
}

std::string to_text(const FileId& id) {
  std::string out;
  append_text(out, id);
  return out;
}

bool parse_id(std::string_view text, std::span<std::byte> out) { return from_base64url(text, out); }

std::optional<FileId> parse_file_id(std::string_view text) {
  std::array<std::byte, 32> both{};
  if (!from_base64url(text, both)) return std::nullopt;
  return FileId{id_from_bytes<SpaceId>(std::span(both).first<16>()), id_from_bytes<NodeId>(std::span(both).last<16>())};
}

}  // namespace clouddocs::core
