// SPDX-License-Identifier: AGPL-3.0-or-later
// Batches of operations, copies, purges and what they cost of the quota.
#include "features/storage/batch.hpp"

#include <gtest/gtest.h>

#include "features/storage/cursor.hpp"
#include "features/storage/storage_fixture.hpp"

namespace clouddocs::storage {
namespace {

class BatchTest : public StorageTest {
 protected:
  // Puts rows into a folder without the door, which would take long for so many.
  void fill(NodeId folder, int count, std::optional<Timestamp> deleted_at) {
    auto body = [&](Transaction& tx) -> Task<Result<>> {
      const auto now = co_await SpaceStore::advance(tx, owner.space, count);
      for (int i = 0; i < count; ++i) {
        Node node;
        node.id = new_id();
        node.parent = folder;
        node.kind = NodeKind::folder;
        node.filename = std::to_string(i);
        node.modified_at = node.uploaded_at = clock.now();
        node.deleted_at = deleted_at;
        node.seq = node.tree_seq = now->seq - i;
        co_await TreeStore::insert(tx, owner.space, owner.caller.user, node);
      }
      co_return Result<>();
    };
    EXPECT_TRUE(run(database::write(*database, body)).has_value());
  }
};
using QuotaTest = StorageTest;

IdempotencyKey key_of(const std::string& key, std::string_view request) {
  return {key, content::sha256(core::as_bytes(request))};
}

TEST_F(BatchTest, AThousandOperationsAreOneCommit) {
  std::vector<Operation> operations;
  NodeId parent = owner.root;
  for (int i = 0; i < 1'000; ++i) {
    if (i % 100 == 0) {
      parent = new_id();
      operations.emplace_back(MakeFolder{parent, owner.root, "folder " + std::to_string(i)});
    } else {
      operations.emplace_back(MakeFolder{new_id(), parent, "item " + std::to_string(i)});
    }
  }
  const auto before = space().seq;
  const BatchOutcome outcome = apply_batch(operations);
  ASSERT_EQ(outcome.results.size(), 1'000U);
  EXPECT_EQ(outcome.from, before);
  EXPECT_EQ(outcome.to, before + 1'000);
  std::int64_t last = before;
  for (const auto& result : outcome.results) {
    EXPECT_EQ(expect(result).seq, last + 1) << "in order, each its own number";
    last = result.value().seq;
  }
  check_invariants();
}

TEST_F(BatchTest, OneThatFailsTakesOnlyItsDependentsAlong) {
  file("taken", "x");
  const NodeId failed = new_id();
  const NodeId below = new_id();
  const NodeId good = new_id();
  Put lost = new_file(new_id(), below, "deep");
  Put kept = new_file(new_id(), good, "kept");
  auto uploaded = receive(owner, core::as_bytes("kept content"));
  kept.content = uploaded.value().content;
  const std::vector<Operation> operations{MakeFolder{failed, owner.root, "taken"},
                                          MakeFolder{below, failed, "below"},
                                          lost,
                                          PutSymlink{new_id(), failed, "link", "x", std::nullopt, 0},
                                          MakeFolder{good, owner.root, "good"},
                                          kept,
                                          Move{failed, good, std::nullopt},
                                          Copy{failed, new_id(), good, "copy"},
                                          SetMeta{below, any_base, std::nullopt, true},
                                          Delete{below},
                                          Restore{below},
                                          RestoreVersion{lost.id, 1},
                                          Purge{failed}};
  const BatchOutcome outcome = apply_batch(operations);
  EXPECT_EQ(code_of(outcome.results[0]), Errc::name_taken);
  for (const std::size_t dependent : {1, 2, 3, 6, 7, 8, 9, 10, 11, 12}) {
    EXPECT_EQ(code_of(outcome.results[dependent]), Errc::dependency_failed) << dependent;
  }
  EXPECT_TRUE(outcome.results[4].has_value());
  EXPECT_EQ(content_of(kept.id), "kept content");
  EXPECT_FALSE(find(owner, below));
  check_invariants();
}

TEST_F(BatchTest, ARefusedOperationLeavesNothingOfItselfBehind) {
  const Node source = folder("source");
  for (int i = 0; i < 5; ++i) file(source.id, std::to_string(i), std::string(60'000, static_cast<char>('a' + i)));
  const auto used = space().storage_used;
  query(fixture_sql::set_plan, owner.caller.user, "tiny");
  // The copies of the first files are made and taken back when the quota refuses a later one.
  const NodeId filler = new_id();
  const std::vector<Operation> operations{
      Copy{source.id, new_id(), owner.root, "first"}, Copy{source.id, new_id(), owner.root, "second"},
      Copy{source.id, new_id(), owner.root, "third"}, MakeFolder{filler, owner.root, "after"}};
  const BatchOutcome outcome = apply_batch(operations);
  EXPECT_TRUE(outcome.results[0].has_value());
  EXPECT_TRUE(outcome.results[1].has_value());
  EXPECT_EQ(code_of(outcome.results[2]), Errc::quota_exceeded);
  EXPECT_TRUE(outcome.results[3].has_value());
  EXPECT_EQ(space().storage_used, 3 * used);
  EXPECT_EQ(journal(owner).size(), 1U + 3 * 6 + 1);
  check_invariants();
}

TEST_F(BatchTest, AnItemMadeAndChangedInOneBatchAppearsOnce) {
  const NodeId id = new_id();
  std::vector<CommitNotice> notices;
  door.set_listener([&](const CommitNotice& notice) { notices.push_back(notice); });
  const std::vector<Operation> operations{MakeFolder{id, owner.root, "a"}, Move{id, std::nullopt, "b"},
                                          Move{id, std::nullopt, "c"}};
  apply_batch(operations);
  ASSERT_EQ(notices.size(), 1U);
  ASSERT_EQ(notices[0].changed.size(), 1U);
  EXPECT_EQ(notices[0].changed[0].filename, "c");
  EXPECT_EQ(journal(owner, notices[0].from).size(), 1U);
}

TEST_F(BatchTest, ABatchThatChangesNothingIsNotAnnounced) {
  int notices = 0;
  door.set_listener([&](const CommitNotice&) { ++notices; });
  const std::vector<Operation> operations{Delete{new_id()}, MakeFolder{new_id(), new_id(), "a"}};
  const BatchOutcome outcome = apply_batch(operations, key_of("batch-1", "request"));
  for (const auto& result : outcome.results) EXPECT_TRUE(result.has_error());
  EXPECT_EQ(notices, 0);
}

TEST_F(BatchTest, ADeletedFolderTakesNothingMoreInTheSameBatch) {
  const Node top = folder("top");
  const Node other = folder("other");
  const std::vector<Operation> operations{
      MakeFolder{new_id(), top.id, "fine"}, Delete{top.id},  MakeFolder{new_id(), top.id, "late"},
      Move{other.id, top.id, std::nullopt}, Restore{top.id}, MakeFolder{new_id(), top.id, "late"}};
  const BatchOutcome outcome = apply_batch(operations);
  EXPECT_TRUE(outcome.results[1].has_value());
  EXPECT_EQ(code_of(outcome.results[2]), Errc::gone);
  EXPECT_EQ(code_of(outcome.results[3]), Errc::gone);
  EXPECT_TRUE(outcome.results[5].has_value());
  check_invariants();
}

TEST_F(BatchTest, TheSameBatchAgainGetsTheSameAnswer) {
  const std::vector<Operation> operations{MakeFolder{new_id(), owner.root, "a"}, MakeFolder{new_id(), owner.root, "a"}};
  const auto key = key_of("batch-1", "request");
  const BatchOutcome first = apply_batch(operations, key);
  EXPECT_FALSE(first.answer.empty());
  EXPECT_NE(first.answer.find("name_taken"), std::string::npos);
  int notices = 0;
  door.set_listener([&](const CommitNotice&) { ++notices; });
  const auto head = space().seq;
  folder("another change in between");
  const BatchOutcome again = apply_batch(operations, key);
  EXPECT_EQ(again.answer, first.answer);
  EXPECT_EQ(again.from, again.to);
  EXPECT_EQ(space().seq, head + 1) << "a repeated batch uses no number";
  EXPECT_EQ(notices, 1);
}

TEST_F(BatchTest, AKeyUsedForAnotherBatchIsRefused) {
  const std::vector<Operation> operations{MakeFolder{new_id(), owner.root, "a"}};
  apply_batch(operations, key_of("batch-1", "request"));
  const auto head = space().seq;
  const std::vector<Operation> others{MakeFolder{new_id(), owner.root, "b"}};
  const auto refused = run(door.commit(owner.caller, owner.space, others, key_of("batch-1", "another request")));
  EXPECT_EQ(code_of(refused), Errc::key_reused);
  EXPECT_EQ(space().seq, head);
  Account other_device = owner;
  other_device.caller.session = core::make_id<core::SessionId>(clock, random);
  const auto fine = run(door.commit(other_device.caller, owner.space, others, key_of("batch-1", "another request")));
  EXPECT_TRUE(fine.has_value()) << "keys are a device's own";
}

TEST_F(BatchTest, TheAnswerHoldsItemsErrorsAndCursors) {
  const Node made = file("a", "x");
  const std::vector<Operation> operations{MakeFolder{new_id(), owner.root, "new"}, Delete{made.id, made.seq + 100},
                                          Delete{new_id()}};
  const BatchOutcome outcome = apply_batch(operations, key_of("k", "r"));
  const auto answer = boost::json::parse(outcome.answer).as_object();
  const auto& results = answer.at("results").as_array();
  EXPECT_EQ(results[0].at("status").as_int64(), 200);
  EXPECT_EQ(results[0].at("item").at("filename").as_string(), "new");
  EXPECT_EQ(results[1].at("status").as_int64(), 412);
  EXPECT_EQ(results[1].at("code").as_string(), "stale_base");
  EXPECT_EQ(results[1].at("item").at("seq").as_int64(), made.seq);
  EXPECT_EQ(results[2].at("code").as_string(), "gone");
  EXPECT_TRUE(results[2].at("item").is_null());
  EXPECT_EQ(parse_cursor(answer.at("from").as_string()), (Cursor{owner.space, 1, outcome.from}));
  EXPECT_EQ(parse_cursor(answer.at("cursor").as_string()), (Cursor{owner.space, 1, outcome.to}));
}

TEST_F(BatchTest, ParallelCommitsGetNumbersOfTheirOwn) {
  std::vector<Task<>> tasks;
  auto make = [&](int number) -> Task<> {
    const auto made =
        co_await door.commit_one(owner.caller, owner.space,
                                 MakeFolder{core::make_id<NodeId>(clock, random), owner.root, std::to_string(number)});
    EXPECT_TRUE(made.has_value());
  };
  const auto before = space().seq;
  for (int i = 0; i < 200; ++i) tasks.push_back(make(i));
  testing::run_all(std::move(tasks));
  EXPECT_EQ(journal(owner, before).size(), 200U);
  EXPECT_EQ(space().seq, before + 200);
  check_invariants();
}

TEST_F(BatchTest, ACopyIsDeepAndSharesItsChunks) {
  const Node top = folder("top");
  const Node sub = folder(top.id, "sub");
  const Node inner = file(sub.id, "inner.txt", "inner");
  expect(put(new_version(inner.id, 1), "inner 2"));
  expect(apply(PutSymlink{new_id(), top.id, "link", "sub", std::nullopt, 0}));
  const Node trashed = file(top.id, "trashed", "not copied");
  expect(apply(Delete{trashed.id}));
  const auto chunk_count = query(fixture_sql::count_chunks, owner.space);
  const auto used = space().storage_used;
  const Node copy = expect(apply(Copy{top.id, new_id(), owner.root, "copy"}));
  EXPECT_EQ(query(fixture_sql::count_chunks, owner.space), chunk_count);
  EXPECT_EQ(space().storage_used, used + 7);
  const auto listing = run(service.list(owner.caller, FileId{owner.space, copy.id}, {.limit = 10})).value();
  ASSERT_EQ(listing.items.size(), 2U);
  EXPECT_EQ(listing.items[1].target, "sub");
  const auto below = run(service.list(owner.caller, FileId{owner.space, listing.items[0].id}, {.limit = 10})).value();
  ASSERT_EQ(below.items.size(), 1U);
  EXPECT_EQ(below.items[0].version, 1);
  EXPECT_EQ(content_of(below.items[0].id), "inner 2");
  check_invariants();
}

TEST_F(BatchTest, ACopyMayTakeAnotherName) {
  const Node made = file("a.txt", "x");
  EXPECT_EQ(code_of(apply(Copy{made.id, new_id(), owner.root, "a.txt"})), Errc::name_taken);
  EXPECT_EQ(expect(apply(Copy{made.id, new_id(), owner.root, "a.txt", true})).filename, "a (2).txt");
  EXPECT_EQ(expect(apply(Copy{made.id, new_id(), owner.root, "a.txt", true})).filename, "a (3).txt");
}

TEST_F(BatchTest, AFolderMayBeCopiedIntoItself) {
  const Node top = folder("top");
  file(top.id, "a", "x");
  const Node copy = expect(apply(Copy{top.id, new_id(), top.id, "copy"}));
  EXPECT_EQ(copy.parent, top.id);
  EXPECT_EQ(space().storage_used, 2);
  check_invariants();
}

TEST_F(BatchTest, ACopyIsNotCutShortByTrashedNeighbours) {
  const Node top = folder("top");
  fill(top.id, max_copy + 1, clock.now());
  const Node kept = file(top.id, "kept", "x");
  const Node copy = expect(apply(Copy{top.id, new_id(), owner.root, "copy"}));
  const auto listing = run(service.list(owner.caller, FileId{owner.space, copy.id}, {.limit = 10})).value();
  ASSERT_EQ(listing.items.size(), 1U);
  EXPECT_EQ(listing.items[0].filename, kept.filename);
}

TEST_F(BatchTest, ATooLargeCopyIsRefusedWhole) {
  const Node top = folder("top");
  fill(top.id, max_copy, std::nullopt);
  const auto rows = journal(owner).size();
  EXPECT_EQ(code_of(apply(Copy{top.id, new_id(), owner.root, "copy"})), Errc::invalid_request);
  EXPECT_EQ(journal(owner).size(), rows);
}

TEST_F(BatchTest, OnlyWhatIsInTheTrashIsPurged) {
  const Node top = folder("top");
  const Node inner = file(top.id, "a", "12345");
  EXPECT_EQ(code_of(apply(Purge{inner.id})), Errc::invalid_request);
  EXPECT_EQ(code_of(apply(Purge{new_id()})), Errc::gone);
  expect(apply(Delete{top.id}));
  const Node purged = expect(apply(Purge{inner.id}));
  EXPECT_TRUE(purged.purged_at) << "it lies in the trash with its folder";
  EXPECT_EQ(space().storage_used, 0);
  EXPECT_EQ(code_of(apply(Purge{inner.id})), Errc::gone);
  EXPECT_EQ(code_of(apply(Restore{inner.id})), Errc::gone);
  check_invariants();
}

TEST_F(BatchTest, ALargeTreeIsPurgedInSeveralCommitsTheDeepestFirst) {
  const Node top = folder("top");
  std::vector<Operation> operations;
  std::vector<UploadedContent> contents;
  for (int i = 0; i < 60; ++i) {
    const NodeId sub = new_id();
    operations.emplace_back(MakeFolder{sub, top.id, std::to_string(i)});
    for (int j = 0; j < 19; ++j) {
      Put op = new_file(new_id(), sub, std::to_string(j));
      contents.push_back(receive(owner, core::as_bytes(std::to_string(100 * i + j))).value());
      op.content = contents.back().content;
      operations.emplace_back(std::move(op));
    }
  }
  for (const auto& result : apply_batch(operations).results) expect(result);
  contents.clear();
  ASSERT_GT(space().storage_used, 0);
  expect(apply(Delete{top.id}));
  const Node first = expect(apply(Purge{top.id}));
  EXPECT_FALSE(first.purged_at) << "more is left than one operation takes";
  check_invariants();
  EXPECT_TRUE(run(service.purge(owner.caller, FileId{owner.space, top.id})).has_value());
  EXPECT_EQ(space().storage_used, 0);
  for (const auto& node : journal(owner)) EXPECT_EQ(node.purged_at.has_value(), node.id != owner.root);
  check_invariants();
}

TEST_F(BatchTest, EmptyingTheTrashEndsEverythingInIt) {
  const Node top = folder("top");
  const Node inner = file(top.id, "a", "x");
  const Node single = file("b", "y");
  file("kept", "z");
  expect(apply(Delete{inner.id}));
  expect(apply(Delete{top.id}));
  expect(apply(Delete{single.id}));
  EXPECT_TRUE(run(service.empty_trash(owner.caller)).has_value());
  EXPECT_TRUE(run(service.trash(owner.caller, std::nullopt, NodeId{}, 10)).value().empty());
  EXPECT_EQ(space().storage_used, 1);
  check_invariants();
}

TEST_F(QuotaTest, ParallelUploadsNeverPassTheLimit) {
  const Account small = add_account("small@example.org", "tiny");
  const auto limit = plans.get("tiny").storage;
  std::atomic<int> stored = 0;
  std::atomic<int> refused = 0;
  auto upload = [&](int number) -> Task<> {
    // Some travel with the commit, some are sent as segments first.
    const Bytes bytes =
        content::pseudo_random_bytes(static_cast<std::uint64_t>(number), number % 2 == 0 ? 60'000 : 200'000);
    bool given = false;
    const PieceSource source = [&]() -> Task<Result<ByteView>> {
      co_return std::exchange(given, true) ? ByteView() : ByteView(bytes);
    };
    const UploadLimits limits{mib, nullptr};
    auto content = co_await receive_content(chunks, small.space, source, limits);
    if (content.has_error()) {
      EXPECT_EQ(content.error().code, Errc::quota_exceeded);
      ++refused;
      co_return;
    }
    Put op = new_file(core::make_id<NodeId>(clock, random), small.root, std::to_string(number));
    op.content = content.value().content;
    const auto made = co_await door.commit_one(small.caller, small.space, std::move(op));
    if (made.has_error()) EXPECT_EQ(made.error().code, Errc::quota_exceeded);
    ++(made.has_value() ? stored : refused);
  };
  std::vector<Task<>> tasks;
  for (int i = 0; i < 40; ++i) tasks.push_back(upload(i));
  testing::run_all(std::move(tasks));
  EXPECT_GT(stored, 0);
  EXPECT_GT(refused, 0);
  EXPECT_LE(space(small).storage_used, limit);
  check_invariants(small);
}

TEST_F(QuotaTest, TheLastByteFitsAndNoMore) {
  const Account small = add_account("small@example.org", "tiny");
  const auto half = static_cast<std::size_t>(plans.get("tiny").storage / 2);
  const Bytes first = content::pseudo_random_bytes(1, half);
  const Bytes second = content::pseudo_random_bytes(2, half);
  expect(put(small, new_file(new_id(), small.root, "a"), first));
  const Node b = expect(put(small, new_file(new_id(), small.root, "b"), second));
  EXPECT_EQ(space(small).storage_used, plans.get("tiny").storage);
  EXPECT_EQ(code_of(put(small, new_file(new_id(), small.root, "c"), core::as_bytes("x"))), Errc::quota_exceeded);
  EXPECT_EQ(code_of(apply(small, Copy{b.id, new_id(), small.root, "copy"})), Errc::quota_exceeded);
  expect(put(small, new_file(new_id(), small.root, "empty"), {}));
  expect(put(small, new_version(b.id, 1), core::as_bytes("smaller")));
  expect(put(small, new_file(new_id(), small.root, "c"), core::as_bytes("x")));
  EXPECT_EQ(code_of(apply(small, RestoreVersion{b.id, 1})), Errc::quota_exceeded)
      << "the larger content does not fit any more";
  check_invariants(small);
}

TEST_F(QuotaTest, TrashAndRestoreDoNotChangeIt) {
  const Node made = file("a", "12345");
  expect(apply(Delete{made.id}));
  EXPECT_EQ(space().storage_used, 5);
  expect(apply(Restore{made.id}));
  EXPECT_EQ(space().storage_used, 5);
  expect(apply(Delete{made.id}));
  expect(apply(Purge{made.id}));
  EXPECT_EQ(space().storage_used, 0);
}

TEST_F(QuotaTest, ChunksSentCountAsReservedUntilTheyAreCommitted) {
  const std::vector<Bytes> parts{content::pseudo_random_bytes(1, 1'000), content::pseudo_random_bytes(2, 200'000)};
  ASSERT_TRUE(send_chunks(owner, parts).has_value());
  EXPECT_EQ(space().reserved, 201'000);
  ASSERT_TRUE(send_chunks(owner, parts).has_value());
  EXPECT_EQ(space().reserved, 201'000) << "the space has them already";
  Put op = new_file(new_id(), owner.root, "a");
  op.content = content_of(parts);
  expect(apply(op));
  EXPECT_EQ(space().reserved, 0);
  EXPECT_EQ(space().storage_used, 201'000);
  ASSERT_TRUE(send_chunks(owner, parts).has_value());
  EXPECT_EQ(space().reserved, 0);
  ASSERT_TRUE(send_chunks(owner, {content::pseudo_random_bytes(3, 500)}).has_value());
  EXPECT_EQ(space().reserved, 500) << "never committed, still counted";
  check_invariants();
}

TEST_F(QuotaTest, ASmallUploadOfAChunkThatWasSentSettlesItsReservation) {
  const Bytes bytes = content::pseudo_random_bytes(1, 1'000);
  ASSERT_TRUE(send_chunks(owner, {bytes}).has_value());
  EXPECT_EQ(space().reserved, 1'000);
  expect(put(owner, new_file(new_id(), owner.root, "a"), bytes));
  EXPECT_EQ(space().reserved, 0);
  check_invariants();
}

TEST_F(QuotaTest, ReservedChunksLimitFurtherOnes) {
  const Account small = add_account("small@example.org", "tiny");
  const auto size = static_cast<std::size_t>(plans.get("tiny").storage);
  ASSERT_TRUE(send_chunks(small, {content::pseudo_random_bytes(1, size)}).has_value());
  const auto refused = send_chunks(small, {content::pseudo_random_bytes(2, 1)});
  EXPECT_EQ(code_of(refused), Errc::quota_exceeded);
  EXPECT_EQ(space(small).reserved, static_cast<std::int64_t>(size));
  ASSERT_TRUE(send_chunks(small, {content::pseudo_random_bytes(1, size)}).has_value()) << "nothing new";
  check_invariants(small);
}

TEST_F(QuotaTest, ARefusedCommitKeepsItsChunksReserved) {
  file("a", "x");
  const std::vector<Bytes> parts{content::pseudo_random_bytes(1, 100'000)};
  ASSERT_TRUE(send_chunks(owner, parts).has_value());
  Put op = new_file(new_id(), owner.root, "a");
  op.content = content_of(parts);
  const std::vector<Operation> operations{op, MakeFolder{new_id(), owner.root, "b"}};
  EXPECT_EQ(code_of(apply_batch(operations).results[0]), Errc::name_taken);
  EXPECT_EQ(space().reserved, 100'000);
  check_invariants();
}

TEST_F(QuotaTest, ChunksOfASpaceThatIsNotThereAreRefused) {
  Account nobody = owner;
  nobody.space = core::make_id<SpaceId>(clock, random);
  EXPECT_EQ(code_of(send_chunks(nobody, {Bytes(10)})), Errc::not_found);
}

}  // namespace
}  // namespace clouddocs::storage
