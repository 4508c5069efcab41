// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"

namespace clouddocs::core {

// A 128-bit identifier of one kind of thing; kinds do not convert into each other. Text form: base64url, 22 characters.
template <class Kind>
struct Id {
  std::array<std::byte, 16> bytes{};

  auto operator<=>(const Id&) const = default;
  ByteView view() const { return bytes; }
  bool is_nil() const { return *this == Id{}; }
};

using UserId = Id<struct UserKind>;
using SessionId = Id<struct SessionKind>;
using SpaceId = Id<struct SpaceKind>;
using NodeId = Id<struct NodeKind>;
using BlobId = Id<struct BlobKind>;

// 16 bytes of a UUID version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits.
std::array<std::byte, 16> make_uuid_v7(Timestamp now, Random& random);

template <class I>
I make_id(const Clock& clock, Random& random) {
  return I{make_uuid_v7(clock.now(), random)};
}

// What names a file, folder or symlink outside its space: any request finds its shard by it.
struct FileId {
  SpaceId space;
  NodeId node;
  auto operator<=>(const FileId&) const = default;
};

template <class I>
I id_from_bytes(ByteView bytes) {
  I id;
  if (bytes.size() == id.bytes.size()) std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

std::string to_text(ByteView id);
template <class Kind>
std::string to_text(const Id<Kind>& id) {
  return to_text(id.view());
}
std::string to_text(const FileId& id);  // 43 characters
void append_text(std::string& out, const FileId& id);

bool parse_id(std::string_view text, std::span<std::byte> out);
template <class I>
std::optional<I> parse_id(std::string_view text) {
  I id;
  if (!parse_id(text, std::span(id.bytes))) return std::nullopt;
  return id;
}
std::optional<FileId> parse_file_id(std::string_view text);

}  // namespace clouddocs::core

template <class Kind>
struct std::hash<clouddocs::core::Id<Kind>> {
  std::size_t operator()(const clouddocs::core::Id<Kind>& id) const noexcept {
    std::uint64_t value = 0;  // the last eight bytes of a UUIDv7 are random
    std::memcpy(&value, id.bytes.data() + 8, sizeof value);
    return value;
  }
};
template <>
struct std::hash<clouddocs::core::FileId> {
  std::size_t operator()(const clouddocs::core::FileId& id) const noexcept {
    return std::hash<clouddocs::core::SpaceId>()(id.space) * 31 + std::hash<clouddocs::core::NodeId>()(id.node);
  }
};
