// SPDX-License-Identifier: AGPL-3.0-or-later
// What retention frees and what it must never touch, with fsck as the judge.
#include "features/storage/garbage_collector.hpp"

#include <gtest/gtest.h>

#include "features/storage/fsck.hpp"
#include "features/storage/storage_fixture.hpp"

namespace clouddocs::storage {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

class GarbageTest : public StorageTest {
 protected:
  GarbageReport collect() {
    GarbageCollector collector(chunks, door);
    auto outcome = testing::run(collector.run());
    EXPECT_TRUE(outcome.has_value());
    const auto report = outcome.value();
    EXPECT_EQ(report.spaces_skipped, 0);
    check_invariants();
    return report;
  }
  FsckReport check(FsckDepth depth = FsckDepth::full, bool repair = false) {
    problems_.clear();
    Fsck fsck(chunks, {depth, repair}, [&](const std::string& problem) { problems_.push_back(problem); });
    return testing::run(fsck.run()).value();
  }
  void expect_whole() { EXPECT_EQ(check().problems, 0) << (problems_.empty() ? "" : problems_.front()); }
  bool complains(const std::string& part) const {
    return std::any_of(problems_.begin(), problems_.end(),
                       [&](const auto& text) { return text.find(part) != std::string::npos; });
  }
  std::int64_t chunk_count() { return query(fixture_sql::count_chunks, owner.space); }

  std::vector<std::string> problems_;
};

TEST_F(GarbageTest, WhatIsInUseIsNeverCollected) {
  const Bytes large = content::pseudo_random_bytes(1, 3U << 20);
  const Node big = expect(put(owner, new_file(new_id(), owner.root, "big"), large));
  const Node small = file("small", "small content");
  const Node empty = file("empty", "");
  clock.advance(days(1'000));
  const auto report = collect();
  EXPECT_EQ(report.chunks_dropped, 0);
  EXPECT_EQ(report.segments_removed, 0);
  EXPECT_EQ(content_of(big.id), core::as_text(large));
  EXPECT_EQ(content_of(small.id), "small content");
  EXPECT_EQ(content_of(empty.id), "");
  expect_whole();
}

TEST_F(GarbageTest, TheTrashIsKeptUntilItsRetentionEnds) {
  const Node made = file("a", "12345");
  expect(apply(Delete{made.id}));
  clock.advance(days(30));
  EXPECT_EQ(collect().trash_purged, 0);
  expect(apply(Restore{made.id}));
  expect(apply(Delete{made.id}));
  clock.advance(days(30) + 1s);
  EXPECT_EQ(collect().trash_purged, 1);
  EXPECT_TRUE(get(made.id).purged_at);
  EXPECT_EQ(space().storage_used, 0);
}

TEST_F(GarbageTest, TrashInsideTrashIsPurgedWithItsFolder) {
  std::vector<Node> all;
  for (int i = 0; i < 6; ++i) {
    const Node top = folder("top" + std::to_string(i));
    const Node sub = folder(top.id, "sub");
    const Node inner = file(sub.id, "inner", "x");
    for (const Node& node : {inner, sub, top}) expect(apply(Delete{node.id}));
    all.insert(all.end(), {inner, sub, top});
  }
  clock.advance(days(31));
  collect();
  for (const auto& node : all) EXPECT_TRUE(get(node.id).purged_at);
  expect_whole();
}

TEST_F(GarbageTest, TombstonesAreSlimmedAndMuchLaterForgotten) {
  const Node made = file("a", "12345");
  expect(apply(Delete{made.id}));
  const Node purged = expect(apply(Purge{made.id}));
  clock.advance(days(6));
  EXPECT_EQ(collect().tombstones_slimmed, 0) << "an administrator can still bring it back";
  EXPECT_EQ(get(made.id).filename, "a");
  clock.advance(days(2));
  EXPECT_EQ(collect().tombstones_slimmed, 1);
  EXPECT_EQ(get(made.id).filename, "");
  EXPECT_EQ(get(made.id).seq, purged.seq);
  EXPECT_EQ(space().floor_seq, 0);
  clock.advance(days(401));
  EXPECT_EQ(collect().tombstones_dropped, 1);
  EXPECT_FALSE(find(owner, made.id));
  EXPECT_EQ(space().floor_seq, purged.seq);
  expect_whole();
}

TEST_F(GarbageTest, OldVersionsGoWhenTheyWereReplacedLongAgo) {
  const Node made = file("a", "one");
  clock.advance(days(100));
  expect(put(new_version(made.id, 1), "two"));
  clock.advance(days(29));
  EXPECT_EQ(collect().versions_dropped, 0) << "replaced 29 days ago, however old it is";
  clock.advance(days(2));
  EXPECT_EQ(collect().versions_dropped, 1);
  EXPECT_EQ(content_of(made.id), "two");
  EXPECT_EQ(content_of(made.id, 1).substr(0, 5), "error");
  clock.advance(days(1'000));
  EXPECT_EQ(collect().versions_dropped, 0) << "the present content is no old version";
  expect_whole();
}

TEST_F(GarbageTest, ChunksThatNobodyCommittedGoAfterADayWithTheirReservation) {
  const Bytes large = content::pseudo_random_bytes(1, 500'000);
  const Bytes small = content::pseudo_random_bytes(2, 1'000);
  ASSERT_TRUE(send_chunks(owner, {large}).has_value());
  ASSERT_TRUE(send_chunks(owner, {small}).has_value());
  clock.advance(23h);
  EXPECT_EQ(collect().chunks_dropped, 0);
  const std::vector<content::ChunkName> names{content::name_of(large)};
  EXPECT_TRUE(testing::run(chunks.missing(owner.caller.user, owner.space, names)).value().empty())
      << "held for another day";
  clock.advance(2h);
  EXPECT_EQ(collect().chunks_dropped, 1);
  EXPECT_EQ(space().reserved, 500'000);
  clock.advance(23h);
  EXPECT_EQ(collect().chunks_dropped, 1);
  EXPECT_EQ(space().reserved, 0);
  expect_whole();
}

TEST_F(GarbageTest, AnObjectGoesADayAfterItsLastChunk) {
  const Bytes large = content::pseudo_random_bytes(1, 500'000);
  ASSERT_TRUE(send_chunks(owner, {large}).has_value());
  clock.advance(25h);
  EXPECT_EQ(collect().segments_removed, 0);
  EXPECT_EQ(testing::run(blobs->list("", "", 10)).size(), 1U);
  clock.advance(25h);
  EXPECT_EQ(collect().segments_removed, 1);
  EXPECT_TRUE(testing::run(blobs->list("", "", 10)).empty());
}

TEST_F(GarbageTest, ObjectsThatNobodyKnowsGoAfterADay) {
  auto store = [&]() -> Task<> {
    const auto writer = co_await blobs->create(new_segment_name(clock, random));
    const std::array<ByteView, 1> parts{core::as_bytes("left by a crash")};
    co_await writer->append(parts);
    co_await writer->commit();
  };
  testing::run(store);
  clock.set(core::system_clock().now() + 23h);
  EXPECT_EQ(collect().orphans_removed, 0);
  clock.advance(2h);
  EXPECT_EQ(collect().orphans_removed, 1);
}

TEST_F(GarbageTest, SmallChunksArePackedIntoASegment) {
  std::vector<std::pair<NodeId, std::string>> contents;
  for (std::uint64_t i = 0; i < 10; ++i) {
    const std::string text(core::as_text(content::pseudo_random_bytes(i, 40'000)));
    contents.emplace_back(file(std::to_string(i), text).id, text);
  }
  EXPECT_EQ(collect().chunks_packed, 10);
  EXPECT_EQ(testing::run(blobs->list("", "", 10)).size(), 1U);
  clock.advance(11min);
  EXPECT_EQ(collect().chunks_packed, 0);
  static constexpr database::Statement count_small{"test_count_small", "SELECT COUNT(*) FROM small_chunks"};
  EXPECT_EQ(query(count_small), 0) << "the bytes in the database go when no reader can hold them any more";
  for (const auto& [id, text] : contents) EXPECT_EQ(content_of(id), text);
  expect_whole();
}

TEST_F(GarbageTest, AnswersOfBatchesAreKept30Days) {
  const std::vector<Operation> operations{MakeFolder{new_id(), owner.root, "a"}};
  const IdempotencyKey key{"k", {}};
  const auto first = apply_batch(operations, key).answer;
  clock.advance(days(30));
  collect();
  EXPECT_EQ(apply_batch(operations, key).from, apply_batch(operations, key).to) << "still the stored answer";
  clock.advance(1s);
  collect();
  const auto again = apply_batch(operations, key);
  EXPECT_NE(again.from, again.to);
}

TEST_F(GarbageTest, FsckFindsAndMendsWrongCounters) {
  file("a", "12345");
  static constexpr database::Statement spoil{"test_spoil", "UPDATE spaces SET storage_used = 7, reserved = 3"};
  query(spoil);
  EXPECT_GE(check(FsckDepth::structure).problems, 2);
  EXPECT_TRUE(complains("storage_used is 7"));
  EXPECT_TRUE(complains("reserved is 3"));
  EXPECT_GT(check(FsckDepth::structure, true).repaired, 0);
  expect_whole();
}

TEST_F(GarbageTest, FsckFindsLooseEnds) {
  const Node top = folder("top");
  file(top.id, "a", "x");
  static constexpr database::Statement remove{"test_remove_row", "DELETE FROM files WHERE id = $1"};
  query(remove, top.id);
  check(FsckDepth::structure);
  EXPECT_TRUE(complains("lies in a folder that does not exist"));
  EXPECT_TRUE(complains("reachable from the root"));
}

TEST_F(GarbageTest, FsckFindsALostObject) {
  expect(put(owner, new_file(new_id(), owner.root, "a"), content::pseudo_random_bytes(1, 200'000)));
  for (const auto& object : testing::run(blobs->list("", "", 10))) testing::run(blobs->remove(object.name));
  EXPECT_GT(check().problems, 0);
}

TEST_F(GarbageTest, FsckFindsChangedBytes) {
  const Node made = file("a", "the bytes in");
  static constexpr database::Statement spoil{"test_spoil_bytes", "UPDATE small_chunks SET bytes = $1"};
  const Bytes other = core::to_bytes("the bytes on");
  query(spoil, other);
  EXPECT_EQ(check(FsckDepth::structure).problems, 0) << "no content is read";
  EXPECT_GT(check(FsckDepth::full).problems, 0);
  EXPECT_EQ(content_of(made.id), "the bytes on");
}

TEST_F(GarbageTest, FsckMarksAsVerifiedWhatItHasRead) {
  const std::vector<Bytes> parts{content::pseudo_random_bytes(1, 1'000)};
  ASSERT_TRUE(send_chunks(owner, parts).has_value());
  Put op = new_file(new_id(), owner.root, "a");
  op.content = StorageWorld::content_of(parts);
  const Node made = expect(apply(op));
  static constexpr database::Statement verified{"test_verified",
                                                "SELECT verified FROM file_versions WHERE file_id = $1"};
  EXPECT_EQ(query(verified, made.id), 0);
  check(FsckDepth::full, true);
  EXPECT_EQ(query(verified, made.id), 1);
}

}  // namespace
}  // namespace clouddocs::storage
