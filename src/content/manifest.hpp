// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "content/chunk.hpp"
#include "core/error.hpp"

namespace clouddocs::content {

inline constexpr std::size_t max_inline_entries = 64;
inline constexpr std::size_t max_node_entries = 4096;

// What a version's content is made of. level 0: `entries` are the chunks of the content, in order. level n > 0: each entry is a chunk that
// holds a manifest node of level n - 1. docs/sync-protocol.md fixes the form.
struct Manifest {
  std::uint32_t level = 0;
  std::vector<ChunkRef> entries;
  std::uint64_t size() const;
  bool operator==(const Manifest&) const = default;
};

// A manifest node as bytes, and back. Errors: chunk_frame_invalid (length not a multiple of an entry, more than max_node_entries).
core::Bytes encode_node(std::span<const ChunkRef> entries);
core::Result<std::vector<ChunkRef>> decode_node(core::ByteView bytes);
// The whole manifest as bytes for a database column, and back.
core::Bytes encode_manifest(const Manifest& manifest);
core::Result<Manifest> decode_manifest(core::ByteView bytes);

// Content identity: SHA-256 over (33 bytes name, 8 bytes little-endian size) of every content chunk in order.
Sha256 content_id(std::span<const ChunkRef> chunks);

struct ManifestNode {
  ChunkRef ref;  // size: content bytes below
  core::Bytes bytes;
};
// Folds a complete chunk list into a manifest; nodes that must be stored as chunks are appended to `nodes`.
Manifest make_manifest(std::span<const ChunkRef> chunks, std::vector<ManifestNode>& nodes);

}  // namespace clouddocs::content
