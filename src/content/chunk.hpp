// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"

namespace clouddocs::content {

using Sha256 = std::array<std::byte, 32>;

inline constexpr std::uint32_t max_chunk_size = 8U << 20;

// The name of a chunk: a format byte (0x01 = SHA-256 of the plain bytes), then the hash. Text form: base64url, 44 characters.
struct ChunkName {
  std::array<std::byte, 33> bytes{};
  auto operator<=>(const ChunkName&) const = default;
  core::ByteView view() const { return bytes; }
  bool is_zero() const { return *this == ChunkName{}; }
};

ChunkName make_chunk_name(const Sha256& hash);
// The name that these bytes have.
ChunkName name_of(core::ByteView chunk);
std::string to_text(const ChunkName& name);
std::optional<ChunkName> parse_chunk_name(std::string_view text);

// One entry of a manifest: a chunk and the number of content bytes it stands for.
struct ChunkRef {
  ChunkName name;
  std::uint64_t size = 0;
  auto operator<=>(const ChunkRef&) const = default;
};

}  // namespace clouddocs::content

template <>
struct std::hash<clouddocs::content::ChunkName> {
  std::size_t operator()(const clouddocs::content::ChunkName& name) const noexcept {
    std::size_t value = 0;  // the name is a cryptographic hash: any eight of its bytes will do
    std::memcpy(&value, name.bytes.data() + 1, sizeof value);
    return value;
  }
};
