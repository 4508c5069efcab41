// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/manifest.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "content/sha256.hpp"
#include "core/encoding.hpp"

namespace clouddocs::content {
namespace {

std::vector<ChunkRef> some_chunks(std::size_t count) {
  std::vector<ChunkRef> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back({name_of(core::as_bytes(std::to_string(i))), i + 1});
  return out;
}

TEST(Manifest, StaysInlineUpToSixtyFourEntries) {
  std::vector<ManifestNode> nodes;
  const auto chunks = some_chunks(64);
  const auto manifest = make_manifest(chunks, nodes);
  EXPECT_EQ(manifest.level, 0U);
  EXPECT_EQ(manifest.entries, chunks);
  EXPECT_TRUE(nodes.empty());
}

TEST(Manifest, FoldsLongerListsIntoNodes) {
  std::vector<ManifestNode> nodes;
  const auto chunks = some_chunks(65);
  const auto manifest = make_manifest(chunks, nodes);
  ASSERT_EQ(manifest.level, 1U);
  ASSERT_EQ(manifest.entries.size(), 1U);
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0].ref, manifest.entries[0]);
  EXPECT_EQ(nodes[0].ref.name, name_of(nodes[0].bytes));
  EXPECT_EQ(manifest.size(), 65U * 66 / 2);
  EXPECT_EQ(decode_node(nodes[0].bytes).value(), chunks);
}

TEST(Manifest, CutsNodesAtFourThousandAndNinetySixEntries) {
  std::vector<ManifestNode> nodes;
  const auto manifest = make_manifest(some_chunks(4096 + 1), nodes);
  ASSERT_EQ(manifest.entries.size(), 2U);
  EXPECT_EQ(nodes[0].bytes.size(), 4096U * 41);
  EXPECT_EQ(nodes[1].bytes.size(), 41U);
}

TEST(Manifest, FoldsAgainWhileTooManyRemain) {
  // One name repeated: 65 nodes of level 0 need a second level.
  const std::vector<ChunkRef> chunks(64 * 4096 + 1, ChunkRef{name_of({}), 1});
  std::vector<ManifestNode> nodes;
  const auto manifest = make_manifest(chunks, nodes);
  EXPECT_EQ(manifest.level, 2U);
  EXPECT_EQ(manifest.entries.size(), 1U);
  EXPECT_EQ(nodes.size(), 65U + 1);
  EXPECT_EQ(manifest.size(), chunks.size());
}

TEST(Manifest, EncodingGoesBothWays) {
  for (const std::size_t count : {0U, 1U, 64U}) {
    const Manifest manifest{3, some_chunks(count)};
    EXPECT_EQ(decode_manifest(encode_manifest(manifest)).value(), manifest);
  }
}

TEST(Manifest, RefusesBrokenEncodings) {
  auto bytes = encode_manifest({0, some_chunks(2)});
  bytes.pop_back();
  EXPECT_EQ(decode_manifest(bytes).error().code, core::Errc::chunk_frame_invalid);
  EXPECT_TRUE(decode_manifest({}).has_error());
  bytes.front() = std::byte{9};
  EXPECT_TRUE(decode_manifest(bytes).has_error());
  EXPECT_TRUE(decode_node(core::Bytes(40)).has_error());
  EXPECT_TRUE(decode_node(core::Bytes(41 * 4097)).has_error());
}

TEST(Manifest, SizeDoesNotWrap) {
  const auto huge = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ((Manifest{0, {{{}, huge}, {{}, 2}}}.size()), huge);
}

TEST(ContentId, IsTheHashOfNamesAndSizes) {
  EXPECT_EQ(content_id({}), sha256({}));
  const auto chunks = some_chunks(3000);
  EXPECT_EQ(content_id(chunks), sha256(encode_node(chunks)));
  EXPECT_EQ(core::to_hex(content_id(std::vector<ChunkRef>{{name_of(core::as_bytes("abc")), 3}})),
            "e6d9fb4e39e169b5209fd5c1293a0906a6f0d3a931b5c5837a13907313b7318b");
}

}  // namespace
}  // namespace clouddocs::content
