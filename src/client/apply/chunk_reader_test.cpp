// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/apply/chunk_reader.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "client/engine/device.hpp"
#include "content/pseudo_random.hpp"

namespace clouddocs::client {
namespace {

constexpr std::size_t block_size = 3U << 20;

std::vector<std::size_t> sizes_in_one_piece(core::ByteView bytes) {
  std::vector<std::size_t> out;
  content::Chunker chunker;
  while (!bytes.empty()) {
    bool boundary = false;
    out.push_back(chunker.next(bytes, boundary));
    bytes = bytes.subspan(out.back());
  }
  return out;
}

class ChunkReaderTest : public testing::TestWithParam<std::size_t> {
 protected:
  TemporaryFolder folder;
  BlockPool pool;
};

TEST_P(ChunkReaderTest, CutsAsIfTheFileWereInOnePiece) {
  const auto content = content::pseudo_random_bytes(GetParam(), GetParam());
  const auto path = folder.path / "file";
  std::ofstream(path, std::ios::binary) << core::as_text(content);
  const auto file = open_for_reading(path);
  ChunkReader reader(file, path, pool, block_size);
  core::Bytes joined;
  std::vector<std::size_t> sizes;
  auto block = reader.next();
  while (!block.chunks.empty()) {
    const auto next = reader.next();  // as the uploader does: a block is still in use when the next one is read
    for (const auto& chunk : block.chunks) {
      sizes.push_back(chunk.size());
      joined.insert(joined.end(), chunk.begin(), chunk.end());
    }
    block = next;
  }
  EXPECT_EQ(sizes, sizes_in_one_piece(content));
  EXPECT_TRUE(joined == content);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ChunkReaderTest,
                         testing::Values(0, 1, block_size - 1, block_size, block_size + 1, 2 * block_size,
                                         7 * block_size / 2));

TEST(BlockPool, GivesMemoryOutAgainWhenItsLastUserLetsItGo) {
  BlockPool pool;
  auto first = pool.take(10);
  const auto* memory = first->data();
  auto user = first;
  first.reset();
  EXPECT_NE(pool.take(10)->data(), memory);
  user.reset();
  const auto again = pool.take(5);
  const auto other = pool.take(5);
  EXPECT_TRUE(again->data() == memory || other->data() == memory);
  EXPECT_GE(again->size(), 5U);
}

}  // namespace
}  // namespace clouddocs::client
