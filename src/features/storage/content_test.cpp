// SPDX-License-Identifier: AGPL-3.0-or-later
// Contents on their way in and out: receive_content, ChunkWriter, ChunkStore, ContentReader.
#include <gtest/gtest.h>

#include "content/chunk_stream.hpp"
#include "content/chunker.hpp"
#include "content/sha256.hpp"
#include "features/storage/content_reader.hpp"
#include "features/storage/content_upload.hpp"
#include "features/storage/storage_fixture.hpp"

namespace clouddocs::storage {
namespace {

using ContentUploadTest = StorageTest;
using ChunkStoreTest = StorageTest;

std::vector<content::ChunkRef> cut_whole(ByteView bytes) {
  content::Chunker chunker;
  std::vector<content::ChunkRef> chunks;
  Bytes current;
  while (!bytes.empty()) {
    bool boundary = false;
    const auto count = chunker.next(bytes, boundary);
    current.insert(current.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (boundary || bytes.empty()) {
      chunks.push_back({content::name_of(current), current.size()});
      current.clear();
    }
  }
  return chunks;
}

TEST_F(ContentUploadTest, PiecesOfAnySizeGiveTheIdentityOfTheWhole) {
  for (const std::size_t size : {0UL, 1UL, 65'536UL, 65'537UL, 512UL << 10, (512UL << 10) + 1, 1UL << 20, 3UL << 20}) {
    const Bytes bytes = content::pseudo_random_bytes(size, size);
    const auto chunk_list = cut_whole(bytes);
    for (const std::size_t piece :
         {std::size_t{1} + random.below(size < 70'000 ? 1'000 : 100'000), std::size_t{64} << 10, size + 1}) {
      const auto received = receive(owner, bytes, piece);
      ASSERT_TRUE(received.has_value());
      const auto& content = received.value().content;
      EXPECT_EQ(content.size, static_cast<std::int64_t>(size));
      EXPECT_EQ(content.sha256, content::sha256(bytes)) << size;
      EXPECT_EQ(content.chunks, chunk_list) << size << " in pieces of " << piece;
      EXPECT_EQ(content.content_id, content::content_id(chunk_list));
      EXPECT_TRUE(content.verified);
      const bool travels = size > 0 && size <= small_limit;
      EXPECT_EQ(content.along.size(), travels ? 1U : 0U) << size;
    }
  }
}

TEST_F(ContentUploadTest, ContentOfEverySizeIsReadBackAsItWas) {
  std::int64_t used = 0;
  for (const std::size_t size : {0UL, 1UL, 65'536UL, 65'537UL, 3UL << 20, 20UL << 20}) {
    const Bytes bytes = content::pseudo_random_bytes(size + 1, size);
    const Node made = expect(put(owner, new_file(new_id(), owner.root, std::to_string(size)), bytes));
    EXPECT_EQ(core::as_text(bytes), content_of(made.id)) << size;
    used += static_cast<std::int64_t>(size);
  }
  EXPECT_EQ(space().storage_used, used);
  EXPECT_EQ(space().reserved, 0);
  check_invariants();
}

TEST_F(ContentUploadTest, RepeatedContentIsStoredOnce) {
  const Bytes zeros(6U << 20);  // all its chunks are alike
  const Node first = expect(put(owner, new_file(new_id(), owner.root, "a"), zeros));
  const auto chunk_count = query(fixture_sql::count_chunks, owner.space);
  EXPECT_LE(chunk_count, 2);
  const Node second = expect(put(owner, new_file(new_id(), owner.root, "b"), zeros));
  EXPECT_EQ(query(fixture_sql::count_chunks, owner.space), chunk_count);
  EXPECT_EQ(second.content_id, first.content_id);
  EXPECT_EQ(content_of(second.id), std::string(6U << 20, '\0'));
  check_invariants();
}

TEST_F(ContentUploadTest, AnUploadAboveTheLimitEndsEarly) {
  const Bytes bytes(2U << 20);
  EXPECT_EQ(code_of(receive(owner, bytes, 100'000, {1'000'000, nullptr})), Errc::file_too_large);
  EXPECT_TRUE(receive(owner, bytes, 100'000, {2 << 20, nullptr}).has_value());
}

TEST_F(ContentUploadTest, ARevokedSessionEndsARunningUpload) {
  const Bytes bytes(4U << 20);
  int asked = 0;
  EXPECT_EQ(code_of(receive(owner, bytes, 100'000, {1 << 30, [&] { return ++asked > 3; }})), Errc::token_invalid);
  EXPECT_EQ(asked, 4);
}

TEST_F(ContentUploadTest, AnErrorOfTheSourceEndsTheUpload) {
  int pieces = 0;
  const Bytes piece(300'000);
  const PieceSource source = [&]() -> Task<Result<ByteView>> {
    if (++pieces > 5) co_return core::Error(Errc::upload_incomplete, "gone");
    co_return ByteView(piece);
  };
  const UploadLimits limits{1 << 30, nullptr};
  EXPECT_EQ(code_of(run(receive_content(chunks, owner.space, source, limits))), Errc::upload_incomplete);
  EXPECT_EQ(space().storage_used, 0);
}

TEST_F(ContentUploadTest, AnUploadAboveTheQuotaIsRefusedWhileItArrives) {
  const Account small = add_account("small@example.org", "tiny");
  EXPECT_EQ(code_of(receive(small, content::pseudo_random_bytes(1, 20U << 20))), Errc::quota_exceeded);
  EXPECT_EQ(space(small).reserved, 0);
}

class ChunkWriterTest : public StorageTest {
 protected:
  void expect_readable(const std::vector<Bytes>& parts) {
    for (const auto& part : parts) {
      const content::ChunkRef ref{content::name_of(part), part.size()};
      const auto place = run(chunks.locate(owner.space, std::span(&ref, 1)));
      ASSERT_TRUE(place.has_value());
      EXPECT_EQ(run(chunks.read(place.value().front())), part);
    }
    check_invariants();
  }
};

TEST_F(ChunkWriterTest, WhatIsSmallTravelsWithTheCommit) {
  ChunkWriter writer(chunks, owner.space);
  const Bytes a = content::pseudo_random_bytes(1, 1'000);
  const Bytes b = content::pseudo_random_bytes(2, 2'000);
  auto body = [&]() -> Task<> {
    co_await writer.append_chunk(content::name_of(a), a);
    co_await writer.append(ByteView(b).first(500));
    const ChunkEnd end{1'500, content::name_of(b), 2'000};
    co_await writer.append(ByteView(b).subspan(500), std::span(&end, 1));
  };
  run(body);
  EXPECT_TRUE(writer.is_small());
  const auto small = writer.small_chunks();
  ASSERT_EQ(small.size(), 2U);
  EXPECT_TRUE(std::equal(b.begin(), b.end(), small[1].bytes.begin(), small[1].bytes.end()));
}

// Chunks of sizes around the small limit, recorded at random moments, also while a chunk is open.
TEST_F(ChunkWriterTest, WhateverIsRecordedCanBeReadBack) {
  for (int round = 0; round < 12; ++round) {
    ChunkWriter writer(chunks, owner.space);
    std::vector<Bytes> parts;
    auto body = [&]() -> Task<> {
      for (int i = 0; i < 12; ++i) {
        const std::size_t size = random.below(3) == 0 ? random.below(900'000) : random.below(30'000);
        parts.push_back(content::pseudo_random_bytes(random.next(), size + 1));
        ByteView rest = parts.back();
        while (!rest.empty()) {
          const auto count = std::min<std::size_t>(rest.size(), random.below(300'000) + 1);
          const ChunkEnd end{count, content::name_of(parts.back()), static_cast<std::uint32_t>(parts.back().size())};
          co_await writer.append(rest.first(count), std::span(&end, count == rest.size() ? 1 : 0));
          rest = rest.subspan(count);
          if (random.below(8) == 0) EXPECT_TRUE((co_await writer.record()).has_value());
        }
      }
      EXPECT_TRUE((co_await writer.record()).has_value());
      EXPECT_EQ(writer.unrecorded(), 0U);
    };
    run(body);
    expect_readable(parts);
  }
}

TEST_F(ChunkWriterTest, SegmentsAreClosedBeforeTheyGrow) {
  std::vector<Bytes> parts;
  for (std::uint64_t i = 0; i < 10; ++i) parts.push_back(content::pseudo_random_bytes(i, 2U << 20));
  ASSERT_TRUE(send_chunks(owner, parts).has_value());
  const auto objects = run(blobs->list("", "", 100));
  EXPECT_EQ(objects.size(), 3U);
  for (const auto& object : objects) EXPECT_LE(object.size, segment_size);
}

// Appends in which no, one or many chunks end, also in the next segments.
TEST_F(ChunkWriterTest, ChunksEndAnywhereInWhatIsAppended) {
  for (int round = 0; round < 2; ++round) {
    const Bytes bytes = content::pseudo_random_bytes(random.next(), 3 * segment_size);
    std::vector<ChunkEnd> chunk_ends;
    std::vector<Bytes> parts;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = std::min<std::size_t>(bytes.size() - at, random.below(600'000) + 1);
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      parts.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(size));
      chunk_ends.push_back({at += size, content::name_of(parts.back()), static_cast<std::uint32_t>(size)});
    }
    ChunkWriter writer(chunks, owner.space);
    auto body = [&]() -> Task<> {
      auto end = chunk_ends.begin();
      for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t count =
            std::min<std::size_t>(bytes.size() - at, random.below(random.below(4) == 0 ? 12U << 20 : 300'000) + 1);
        std::vector<ChunkEnd> inside;
        for (; end != chunk_ends.end() && end->at <= at + count; ++end) {
          inside.push_back({end->at - at, end->name, end->size});
        }
        co_await writer.append(ByteView(bytes).subspan(at, count), inside);
        at += count;
      }
      EXPECT_TRUE((co_await writer.record()).has_value());
    };
    run(body);
    expect_readable(parts);
  }
}

TEST_F(ChunkWriterTest, AnAbandonedWriterLeavesNoRow) {
  {
    ChunkWriter writer(chunks, owner.space);
    auto body = [&]() -> Task<> {
      const Bytes bytes = content::pseudo_random_bytes(1, segment_size);
      co_await writer.append_chunk(content::name_of(bytes), bytes);
    };
    run(body);
    EXPECT_FALSE(writer.is_small());
    EXPECT_GT(writer.unrecorded(), 0U);
  }
  EXPECT_EQ(query(fixture_sql::count_chunks, owner.space), 0);
}

TEST_F(ChunkStoreTest, MissingNamesWhatTheSpaceLacksAndTouchesTheRest) {
  const std::vector<Bytes> parts{content::pseudo_random_bytes(1, 100), content::pseudo_random_bytes(2, 100)};
  ASSERT_TRUE(send_chunks(owner, {parts[0]}).has_value());
  const std::vector<content::ChunkName> names{content::name_of(parts[0]), content::name_of(parts[1])};
  clock.advance(std::chrono::hours(20));
  EXPECT_EQ(run(chunks.missing(owner.caller.user, owner.space, names)).value(), std::vector{names[1]});
  static constexpr database::Statement touched{"test_touched", "SELECT touched_at FROM chunks WHERE space_id = $1"};
  EXPECT_EQ(query(touched, owner.space), core::to_micros(clock.now()));
  const Account stranger = add_account("stranger@example.org");
  EXPECT_EQ(run(chunks.missing(stranger.caller.user, stranger.space, names)).value(), names);
  EXPECT_EQ(code_of(run(chunks.missing(stranger.caller.user, owner.space, names))), Errc::not_found);
}

TEST_F(ChunkStoreTest, ALostObjectIsAnErrorAndNotOtherBytes) {
  const Bytes bytes = content::pseudo_random_bytes(1, 200'000);
  const Node made = expect(put(owner, new_file(new_id(), owner.root, "a"), bytes));
  for (const auto& object : run(blobs->list("", "", 100))) run(blobs->remove(object.name));
  const content::ChunkRef ref{content::name_of(bytes), bytes.size()};
  const auto place = run(chunks.locate(owner.space, std::span(&ref, 1)));
  EXPECT_THROW(run(chunks.read(place.value().front())), blob::StorageUnavailable);
  const auto found = run(service.find_content(owner.caller, FileId{owner.space, made.id}, 0));
  auto body = run(reader.open(owner.space, found.value().version, 0, 200'000));
  EXPECT_THROW(text_of(body.value()), blob::StorageUnavailable);
}

// A content of so many chunks that its manifest needs nodes.
class ManifestTest : public StorageTest {
 protected:
  NewContent store(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      parts_.push_back(content::pseudo_random_bytes(i, 20 + i % 50));
      text_ += core::as_text(parts_.back());
    }
    NewContent out;
    for (const auto& part : parts_) out.chunks.push_back({content::name_of(part), part.size()});
    out.size = static_cast<std::int64_t>(text_.size());
    out.sha256 = content::sha256(core::as_bytes(text_));
    out.content_id = content::content_id(out.chunks);
    std::vector<content::ManifestNode> nodes;
    out.manifest = content::make_manifest(out.chunks, nodes);
    std::vector<Bytes> sent = parts_;
    for (const auto& node : nodes) {
      sent.push_back(node.bytes);
      out.node_chunks.push_back(node.ref.name);
    }
    EXPECT_TRUE(send_chunks(owner, sent).has_value());
    return out;
  }
  std::vector<Bytes> parts_;
  std::string text_;
};

TEST_F(ManifestTest, ALongManifestIsStoredAsNodesAndFlattened) {
  Put op = new_file(new_id(), owner.root, "long");
  op.content = store(4'500);
  EXPECT_EQ(op.content.manifest.level, 1U);
  EXPECT_EQ(op.content.manifest.entries.size(), 2U);
  const Node made = expect(apply(op));
  EXPECT_EQ(space().reserved, 0);
  EXPECT_EQ(content_of(made.id), text_);
  std::vector<content::ChunkName> nodes;
  EXPECT_EQ(run(chunks.flatten(owner.space, op.content.manifest, 10'000, &nodes)).value(), op.content.chunks);
  EXPECT_EQ(nodes, op.content.node_chunks);
  EXPECT_EQ(code_of(run(chunks.flatten(owner.space, op.content.manifest, 4'499))), Errc::file_too_large);
  check_invariants();
}

TEST_F(ManifestTest, ARangeNeedsOnlyTheNodesAndChunksThatHoldIt) {
  const NewContent content = store(4'500);
  std::vector<std::uint64_t> begins{0};
  for (const auto& chunk : content.chunks) begins.push_back(begins.back() + chunk.size);
  content::Manifest damaged = content.manifest;
  damaged.entries[0].name = content::name_of(Bytes(1));  // unknown: reading it is an error
  const auto find = [&](std::uint64_t offset, std::uint64_t length) {
    return run(chunks.find_run(owner.space, damaged, offset, length));
  };
  const std::size_t first = 4'200;
  const auto found = find(begins[first] + 1, begins[first + 3] - begins[first] - 1).value();
  EXPECT_EQ(found.begin, begins[first]);
  EXPECT_EQ(found.chunks, std::vector(content.chunks.begin() + first, content.chunks.begin() + first + 3));
  EXPECT_EQ(find(begins.back() - 1, 1).value().chunks, std::vector{content.chunks.back()});
  EXPECT_EQ(code_of(find(0, 1)), Errc::chunk_unknown);
  EXPECT_EQ(code_of(find(0, begins.back())), Errc::chunk_unknown);
}

TEST_F(ManifestTest, AManifestThatDoesNotAddUpIsRefused) {
  const NewContent content = store(100);
  content::Manifest wrong = content.manifest;
  wrong.entries[0].size += 1;
  EXPECT_EQ(code_of(run(chunks.flatten(owner.space, wrong, 10'000))), Errc::invalid_request);
  content::Manifest unknown = content.manifest;
  unknown.entries[0].name.bytes[5] ^= std::byte{1};
  EXPECT_EQ(code_of(run(chunks.flatten(owner.space, unknown, 10'000))), Errc::chunk_unknown);
  content::Manifest deep = content.manifest;
  deep.level = 4;
  EXPECT_EQ(code_of(run(chunks.flatten(owner.space, deep, 10'000))), Errc::invalid_request);
  content::Manifest no_node{1, {content.chunks[0]}};
  EXPECT_EQ(code_of(run(chunks.flatten(owner.space, no_node, 10'000))), Errc::chunk_frame_invalid);
}

class ContentReaderTest : public StorageTest {
 protected:
  std::string read(const Version& version, std::uint64_t offset, std::uint64_t length) {
    auto body = run(reader.open(owner.space, version, offset, length));
    EXPECT_TRUE(body.has_value());
    return text_of(body.value());
  }
  Version version_of(NodeId id) {
    return run(service.find_content(owner.caller, FileId{owner.space, id}, 0)).value().version;
  }
};

TEST_F(ContentReaderTest, RangesAreExactAtEveryEdge) {
  // Small chunks in the database, chunks in segments, a chunk that occurs twice.
  std::vector<Bytes> parts;
  std::string text;
  for (const std::size_t size : {1UL, 700UL, 70'000UL, 3UL, 65'536UL, 9'000UL, 200'000UL}) {
    parts.push_back(content::pseudo_random_bytes(size, size));
    if (random.below(2) == 0) ASSERT_TRUE(send_chunks(owner, {parts.back()}).has_value());
  }
  parts.push_back(parts[1]);
  ASSERT_TRUE(send_chunks(owner, parts).has_value());
  std::vector<std::uint64_t> edges{0};
  for (const auto& part : parts) {
    text += core::as_text(part);
    edges.push_back(text.size());
  }
  Put op = new_file(new_id(), owner.root, "parts");
  op.content = StorageWorld::content_of(parts);
  const Version version = version_of(expect(apply(op)).id);
  auto check = [&](std::uint64_t from, std::uint64_t to) {
    from = std::min<std::uint64_t>(from, text.size());
    to = std::min<std::uint64_t>(to, text.size());
    if (from < to) EXPECT_EQ(read(version, from, to - from), text.substr(from, to - from)) << from << " to " << to;
  };
  for (const auto from : edges) {
    for (const auto to : edges) {
      check(from, to);
      check(from + 1, to);
      check(from, to + 1);
      if (from > 0 && to > 0) check(from - 1, to - 1);
    }
  }
  for (int i = 0; i < 50; ++i) {
    const auto from = random.below(text.size());
    check(from, from + 1 + random.below(text.size() - from));
  }
}

TEST_F(ContentReaderTest, NeighboursInOneSegmentAreOneRegion) {
  const Bytes bytes = content::pseudo_random_bytes(1, 4U << 20);
  const Version version = version_of(expect(put(owner, new_file(new_id(), owner.root, "a"), bytes)).id);
  auto body = run(reader.open(owner.space, version, 0, bytes.size()));
  const auto* parts = std::get_if<net::BodyParts>(&body.value());
  ASSERT_NE(parts, nullptr);
  EXPECT_EQ(parts->parts.size(), 1U);
}

TEST_F(ContentReaderTest, AContentInVeryManyPlacesIsReadWhileItIsSent) {
  std::vector<Bytes> parts;
  std::string text;
  for (std::size_t i = 0; i < 64; ++i) parts.push_back(content::pseudo_random_bytes(i, 100 + i));
  parts.push_back(content::pseudo_random_bytes(99, 3U << 20));
  ASSERT_TRUE(send_chunks(owner, {parts.back()}).has_value());
  ASSERT_TRUE(send_chunks(owner, parts).has_value());
  NewContent content;
  for (int round = 0; round < 4; ++round) {
    // Not in the order of the segment, so that no two are neighbours.
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      content.chunks.push_back({content::name_of(*part), part->size()});
      text += core::as_text(*part);
    }
  }
  std::vector<content::ManifestNode> nodes;
  content.manifest = content::make_manifest(content.chunks, nodes);
  ASSERT_EQ(nodes.size(), 1U);
  ASSERT_TRUE(send_chunks(owner, {nodes[0].bytes}).has_value());
  content.node_chunks = {nodes[0].ref.name};
  content.size = static_cast<std::int64_t>(text.size());
  content.content_id = content::content_id(content.chunks);
  Put op = new_file(new_id(), owner.root, "scattered");
  op.content = content;
  const Version version = version_of(expect(apply(op)).id);
  auto body = run(reader.open(owner.space, version, 50, text.size() - 100));
  ASSERT_TRUE(std::holds_alternative<net::BodyStream>(body.value()));
  EXPECT_EQ(text_of(body.value()), text.substr(50, text.size() - 100));
}

TEST_F(ContentReaderTest, AnUnknownChunkInAManifestIsAnError) {
  Version version;
  version.size = 10;
  version.manifest = content::encode_manifest({0, {{content::name_of(Bytes(10)), 10}}});
  EXPECT_EQ(code_of(run(reader.open(owner.space, version, 0, 10))), Errc::chunk_unknown);
}

TEST_F(ContentReaderTest, AStreamHoldsTheChunksInTheOrderAskedAndSaysWhatIsMissing) {
  const std::vector<Bytes> parts{content::pseudo_random_bytes(1, 100), content::pseudo_random_bytes(2, 1'500'000)};
  ASSERT_TRUE(send_chunks(owner, parts).has_value());
  const auto unknown = content::name_of(Bytes(5));
  const std::vector<content::ChunkName> names{content::name_of(parts[1]), unknown, content::name_of(parts[0])};
  auto body = run(reader.open_stream(owner.space, names));
  const std::string text = text_of(body.value());
  content::ChunkStreamParser parser;
  ByteView rest = core::as_bytes(text);
  const auto first = parser.next(rest).value();
  EXPECT_EQ(first->bytes, parts[1]);
  const auto second = parser.next(rest).value();
  EXPECT_EQ(second->name, unknown);
  EXPECT_TRUE(second->missing);
  EXPECT_EQ(parser.next(rest).value()->bytes, parts[0]);
  EXPECT_FALSE(parser.next(rest).value());
  EXPECT_TRUE(parser.is_finished());
}

TEST_F(ContentReaderTest, AStreamHasAtMost64MiB) {
  const Bytes bytes = content::pseudo_random_bytes(1, 2U << 20);
  ASSERT_TRUE(send_chunks(owner, {bytes}).has_value());
  const std::vector<content::ChunkName> names(33, content::name_of(bytes));
  EXPECT_EQ(code_of(run(reader.open_stream(owner.space, names))), Errc::invalid_request);
  EXPECT_TRUE(run(reader.open_stream(owner.space, std::span(names).first(32))).has_value());
}

}  // namespace
}  // namespace clouddocs::storage
