// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/manifest.hpp"

#include <algorithm>
#include <limits>

#include "content/sha256.hpp"

namespace clouddocs::content {
namespace {

constexpr std::size_t entry_size = 33 + 8;
constexpr std::size_t prefix_size = 2;
constexpr std::byte manifest_format{0x01};
constexpr std::uint32_t max_level = 8;  // 64 * 4096^8 chunks: more than any file has

// A sum that a hostile manifest cannot make wrap.
std::uint64_t total_size(std::span<const ChunkRef> entries) {
  std::uint64_t sum = 0;
  for (const auto& entry : entries) {
    if (entry.size > std::numeric_limits<std::uint64_t>::max() - sum) return std::numeric_limits<std::uint64_t>::max();
    sum += entry.size;
  }
  return sum;
}

void append_entries(core::Bytes& out, std::span<const ChunkRef> entries) {
  out.reserve(out.size() + entries.size() * entry_size);
  for (const auto& entry : entries) {
    out.insert(out.end(), entry.name.bytes.begin(), entry.name.bytes.end());
    core::append_little_endian(out, entry.size);
  }
}

core::Result<std::vector<ChunkRef>> decode_entries(core::ByteView bytes) {
  if (bytes.size() % entry_size != 0)
    return core::Error(core::Errc::chunk_frame_invalid, "The manifest ends within an entry.");
  std::vector<ChunkRef> entries(bytes.size() / entry_size);
  for (auto& entry : entries) {
    std::ranges::copy(bytes.first(33), entry.name.bytes.begin());
    entry.size = core::load_little_endian<std::uint64_t>(bytes.data() + 33);
    bytes = bytes.subspan(entry_size);
  }
  return entries;
}

}  // namespace

std::uint64_t Manifest::size() const { return total_size(entries); }

core::Bytes encode_node(std::span<const ChunkRef> entries) {
  core::Bytes out;
  append_entries(out, entries);
  return out;
}

core::Result<std::vector<ChunkRef>> decode_node(core::ByteView bytes) {
  if (bytes.size() > max_node_entries * entry_size) {
    return core::Error(core::Errc::chunk_frame_invalid, "The manifest node has too many entries.");
  }
  return decode_entries(bytes);
}

core::Bytes encode_manifest(const Manifest& manifest) {
  core::Bytes out;
  out.reserve(prefix_size + manifest.entries.size() * entry_size);
  out.push_back(manifest_format);
  out.push_back(static_cast<std::byte>(manifest.level));
  append_entries(out, manifest.entries);
  return out;
}

core::Result<Manifest> decode_manifest(core::ByteView bytes) {
  if (bytes.size() < prefix_size || bytes[0] != manifest_format || static_cast<std::uint32_t>(bytes[1]) > max_level) {
    return core::Error(core::Errc::chunk_frame_invalid, "The manifest has an unknown format.");
  }
  Manifest manifest;
  manifest.level = static_cast<std::uint32_t>(bytes[1]);
  TRY(manifest.entries, decode_entries(bytes.subspan(prefix_size)));
  return manifest;
}

Sha256 content_id(std::span<const ChunkRef> chunks) {
  Sha256Hasher hasher;
  constexpr std::size_t batch = 1024;
  for (std::size_t from = 0; from < chunks.size(); from += batch) {
    hasher.update(encode_node(chunks.subspan(from, std::min(batch, chunks.size() - from))));
  }
  return hasher.finish();
}

Manifest make_manifest(std::span<const ChunkRef> chunks, std::vector<ManifestNode>& nodes) {
  Manifest manifest{0, {chunks.begin(), chunks.end()}};
  while (manifest.entries.size() > max_inline_entries) {
    std::vector<ChunkRef> above;
    const std::span<const ChunkRef> entries(manifest.entries);
    for (std::size_t from = 0; from < entries.size(); from += max_node_entries) {
      const auto part = entries.subspan(from, std::min(max_node_entries, entries.size() - from));
      auto bytes = encode_node(part);
      above.push_back({name_of(bytes), total_size(part)});
      nodes.push_back({above.back(), std::move(bytes)});
    }
    manifest.entries = std::move(above);
    ++manifest.level;
  }
  return manifest;
}

}  // namespace clouddocs::content
