// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/chunk.hpp"

#include <algorithm>

#include "content/sha256.hpp"
#include "core/encoding.hpp"

namespace clouddocs::content {

ChunkName make_chunk_name(const Sha256& hash) {
  ChunkName name;
  name.bytes[0] = std::byte{0x01};
  std::ranges::copy(hash, name.bytes.begin() + 1);
  return name;
}

ChunkName name_of(core::ByteView chunk) { return make_chunk_name(sha256(chunk)); }

std::string to_text(const ChunkName& name) { return core::to_base64url(name.bytes); }

std::optional<ChunkName> parse_chunk_name(std::string_view text) {
  ChunkName name;
  if (!core::from_base64url(text, std::span(name.bytes)) || name.bytes[0] != std::byte{0x01}) return std::nullopt;
  return name;
}

}  // namespace clouddocs::content
