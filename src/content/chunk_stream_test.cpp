// SPDX-License-Identifier: AGPL-3.0-or-later
#include "content/chunk_stream.hpp"

#include <gtest/gtest.h>

namespace clouddocs::content {
namespace {

void append_chunk(core::Bytes& out, std::string_view text) {
  append_frame_header(out, name_of(core::as_bytes(text)), static_cast<std::uint32_t>(text.size()));
  out.insert(out.end(), core::as_bytes(text).begin(), core::as_bytes(text).end());
}

core::Bytes example() {
  core::Bytes stream;
  append_chunk(stream, "first");
  append_frame_header(stream, name_of(core::as_bytes("absent")), chunk_missing);
  append_chunk(stream, "");
  append_chunk(stream, "second chunk");
  append_end_frame(stream);
  return stream;
}

std::vector<std::string> parse(core::ByteView stream, std::size_t piece, bool& finished) {
  ChunkStreamParser parser;
  std::vector<std::string> out;
  while (!stream.empty()) {
    auto part = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(part.size());
    while (true) {
      auto frame = parser.next(part);
      if (frame.has_error()) {
        out.push_back("error");
        return out;
      }
      if (!*frame) break;
      if (!(*frame)->missing) EXPECT_EQ(name_of((*frame)->bytes), (*frame)->name);
      out.push_back((*frame)->missing ? "missing" : std::string(core::as_text((*frame)->bytes)));
    }
    EXPECT_TRUE(part.empty());
  }
  finished = parser.is_finished();
  return out;
}

TEST(ChunkStream, ParsesFramesHoweverTheStreamIsCut) {
  const auto stream = example();
  const std::vector<std::string> expected{"first", "missing", "", "second chunk"};
  for (const std::size_t piece : {1U, 7U, 37U, 1000U}) {
    bool finished = false;
    EXPECT_EQ(parse(stream, piece, finished), expected) << "pieces of " << piece;
    EXPECT_TRUE(finished);
  }
}

TEST(ChunkStream, IsNotFinishedWithoutTheEndFrame) {
  auto stream = example();
  stream.pop_back();
  bool finished = true;
  parse(stream, 1000, finished);
  EXPECT_FALSE(finished);
}

TEST(ChunkStream, RefusesBytesAfterTheEnd) {
  auto stream = example();
  stream.push_back(std::byte{1});
  bool finished = false;
  EXPECT_EQ(parse(stream, 1000, finished).back(), "error");
}

TEST(ChunkStream, RefusesTooLargeChunks) {
  core::Bytes stream;
  append_frame_header(stream, name_of({}), max_chunk_size + 1);
  bool finished = false;
  EXPECT_EQ(parse(stream, 1000, finished), std::vector<std::string>{"error"});
}

TEST(ChunkStream, RefusesAnEndFrameWithASize) {
  core::Bytes stream;
  append_frame_header(stream, ChunkName{}, 5);
  bool finished = false;
  EXPECT_EQ(parse(stream, 1000, finished), std::vector<std::string>{"error"});
}

}  // namespace
}  // namespace clouddocs::content
