// SPDX-License-Identifier: AGPL-3.0-or-later
// The rules of the commit door, each by name. Batches, copies and purges are in batch_test.cpp.
#include "features/storage/commit_door.hpp"

#include <gtest/gtest.h>

#include "features/storage/storage_fixture.hpp"

namespace clouddocs::storage {
namespace {

using CommitDoorTest = StorageTest;

TEST_F(CommitDoorTest, ANewFileIsVersionOneAndBelongsToItsFolder) {
  const Node made = file("note.txt", "hello");
  EXPECT_EQ(made.version, 1);
  EXPECT_EQ(made.size, 5);
  EXPECT_EQ(made.parent, owner.root);
  EXPECT_EQ(made.mime, "text/plain");
  EXPECT_EQ(made.modified_at, clock.now());
  EXPECT_EQ(made.sha256, content::sha256(core::as_bytes("hello")));
  EXPECT_EQ(content_of(made.id), "hello");
  EXPECT_EQ(space().storage_used, 5);
  check_invariants();
}

TEST_F(CommitDoorTest, ANewVersionKeepsTheOlderOne) {
  const Node made = file("note.txt", "one");
  clock.advance(std::chrono::seconds(5));
  const Node changed = expect(put(new_version(made.id, 1), "two two"));
  EXPECT_EQ(changed.version, 2);
  EXPECT_GT(changed.seq, made.seq);
  EXPECT_EQ(content_of(made.id), "two two");
  EXPECT_EQ(content_of(made.id, 1), "one");
  EXPECT_EQ(space().storage_used, 7);
  check_invariants();
}

TEST_F(CommitDoorTest, AStaleBaseIsRefusedWithTheCurrentItemAndStoresNothing) {
  const Node made = file("note.txt", "one");
  const Node second = expect(put(new_version(made.id, 1), "two"));
  const auto before = space();
  const auto chunk_count = query(fixture_sql::count_chunks, owner.space);
  const auto refused = put(new_version(made.id, 1), "three");
  EXPECT_EQ(code_of(refused), Errc::stale_base);
  EXPECT_EQ(refused.error().extension, "\"item\":" + to_item(owner.space, second));
  EXPECT_EQ(space().seq, before.seq);
  EXPECT_EQ(space().storage_used, before.storage_used);
  EXPECT_EQ(query(fixture_sql::count_chunks, owner.space), chunk_count);
  EXPECT_EQ(content_of(made.id), "two");
}

TEST_F(CommitDoorTest, EqualContentIsNeverAConflict) {
  const Node made = file("note.txt", "one");
  expect(put(new_version(made.id, 1), "two"));
  const Node same = expect(put(new_version(made.id, 1), "two"));
  EXPECT_EQ(same.version, 2);
  EXPECT_EQ(run(service.versions(owner.caller, FileId{owner.space, made.id}, 10)).value().size(), 2U);
}

TEST_F(CommitDoorTest, ARetryOfANewFileIsASuccess) {
  const Put op = new_file(new_id(), owner.root, "note.txt");
  const Node made = expect(put(op, "one"));
  const Node again = expect(put(op, "one"));
  EXPECT_EQ(again.seq, made.seq);
  EXPECT_EQ(space().storage_used, 3);
}

TEST_F(CommitDoorTest, ARetryOfANewFolderIsASuccess) {
  const MakeFolder op{new_id(), owner.root, "Photos"};
  const Node made = expect(apply(op));
  EXPECT_EQ(expect(apply(op)).seq, made.seq);
}

TEST_F(CommitDoorTest, ARetryOfANewSymlinkIsASuccess) {
  const PutSymlink op{new_id(), owner.root, "link", "../elsewhere", std::nullopt, 0};
  const Node made = expect(apply(op));
  EXPECT_EQ(made.target, "../elsewhere");
  EXPECT_EQ(expect(apply(op)).seq, made.seq);
}

TEST_F(CommitDoorTest, AnIdInUseIsRefused) {
  const Node made = file("note.txt", "one");
  const Node sub = folder("Photos");
  EXPECT_EQ(code_of(put(new_file(made.id, owner.root, "other.txt"), "another content")), Errc::id_taken);
  EXPECT_EQ(code_of(put(new_file(made.id, sub.id, "note.txt"), "one")), Errc::id_taken);
  EXPECT_EQ(code_of(apply(MakeFolder{made.id, owner.root, "x"})), Errc::id_taken);
  EXPECT_EQ(code_of(apply(MakeFolder{sub.id, sub.id, "x"})), Errc::id_taken);
  EXPECT_EQ(code_of(apply(PutSymlink{made.id, owner.root, "x", "y", std::nullopt, 0})), Errc::id_taken);
  expect(apply(Delete{sub.id}));
  EXPECT_EQ(code_of(apply(MakeFolder{sub.id, owner.root, "Photos"})), Errc::id_taken);
}

TEST_F(CommitDoorTest, ATakenNameIsRefusedWithItsHolder) {
  const Node made = file("note.txt", "one");
  const auto refused = put(new_file(new_id(), owner.root, "note.txt"), "two");
  EXPECT_EQ(code_of(refused), Errc::name_taken);
  EXPECT_EQ(refused.error().extension, "\"item\":" + to_item(owner.space, made));
  EXPECT_EQ(code_of(apply(MakeFolder{new_id(), owner.root, "note.txt"})), Errc::name_taken);
  EXPECT_EQ(code_of(apply(PutSymlink{new_id(), owner.root, "note.txt", "x", std::nullopt, 0})), Errc::name_taken);
}

TEST_F(CommitDoorTest, NamesThatDifferInCaseLiveSideBySide) {
  const Node upper = file("README", "a");
  const Node lower = file("readme", "b");
  EXPECT_EQ(content_of(upper.id), "a");
  EXPECT_EQ(content_of(lower.id), "b");
}

TEST_F(CommitDoorTest, NamesAreComparedAndKeptInNormalFormC) {
  const Node made = file("cafe\u0301.txt", "a");  // e + combining acute
  EXPECT_EQ(made.filename, "caf\u00e9.txt");
  EXPECT_EQ(code_of(put(new_file(new_id(), owner.root, "caf\u00e9.txt"), "b")), Errc::name_taken);
}

TEST_F(CommitDoorTest, AnInvalidNameIsRefusedByEveryOperationThatNames) {
  const Node made = file("note.txt", "one");
  for (const std::string name : {"", ".", "..", "a/b", "a\nb"}) {
    EXPECT_EQ(code_of(put(new_file(new_id(), owner.root, name), "x")), Errc::invalid_name) << name;
    EXPECT_EQ(code_of(apply(MakeFolder{new_id(), owner.root, name})), Errc::invalid_name) << name;
    EXPECT_EQ(code_of(apply(PutSymlink{new_id(), owner.root, name, "x", std::nullopt, 0})), Errc::invalid_name) << name;
    EXPECT_EQ(code_of(apply(Move{made.id, std::nullopt, name})), Errc::invalid_name) << name;
    EXPECT_EQ(code_of(apply(Copy{made.id, new_id(), owner.root, name})), Errc::invalid_name) << name;
  }
}

TEST_F(CommitDoorTest, AParentMustExistBeLiveAndBeAFolder) {
  const Node plain = file("note.txt", "one");
  const Node trashed = folder("Trashed");
  const Node below = folder(trashed.id, "Below");
  expect(apply(Delete{trashed.id}));
  for (const NodeId parent : {new_id(), trashed.id, below.id}) {
    EXPECT_EQ(code_of(put(new_file(new_id(), parent, "x"), "x")), Errc::gone);
    EXPECT_EQ(code_of(apply(MakeFolder{new_id(), parent, "x"})), Errc::gone);
    EXPECT_EQ(code_of(apply(Move{plain.id, parent, std::nullopt})), Errc::gone);
    EXPECT_EQ(code_of(apply(Copy{plain.id, new_id(), parent, "x"})), Errc::gone);
  }
  EXPECT_EQ(code_of(put(new_file(new_id(), plain.id, "x"), "x")), Errc::invalid_request);
  EXPECT_EQ(code_of(apply(MakeFolder{new_id(), plain.id, "x"})), Errc::invalid_request);
}

TEST_F(CommitDoorTest, FoldersNestTo128AndNoDeeper) {
  std::vector<Operation> operations;
  std::vector<NodeId> chain{owner.root};
  while (chain.size() < static_cast<std::size_t>(max_depth)) {
    operations.emplace_back(MakeFolder{new_id(), chain.back(), "f"});
    chain.push_back(std::get<MakeFolder>(operations.back()).id);
  }
  for (const auto& result : apply_batch(operations).results) expect(result);
  EXPECT_EQ(code_of(apply(MakeFolder{new_id(), chain.back(), "f"})), Errc::too_deep);
  file(chain.back(), "a file in the deepest folder", "x");

  const Node wide = folder("wide");
  const Node inner = folder(wide.id, "inner");
  EXPECT_EQ(code_of(apply(Move{wide.id, chain[127], std::nullopt})), Errc::too_deep);
  EXPECT_EQ(code_of(apply(Move{wide.id, chain[126], std::nullopt})), Errc::too_deep) << "its folder would be the 129th";
  EXPECT_EQ(code_of(apply(Copy{wide.id, new_id(), chain[126], "copy"})), Errc::too_deep);
  expect(apply(Move{inner.id, chain[126], std::nullopt}));
  check_invariants();
}

TEST_F(CommitDoorTest, ARestoreCannotNestDeeperEither) {
  std::vector<Operation> operations;
  std::vector<NodeId> chain{owner.root};
  while (chain.size() < static_cast<std::size_t>(max_depth)) {
    operations.emplace_back(MakeFolder{new_id(), chain.back(), "f"});
    chain.push_back(std::get<MakeFolder>(operations.back()).id);
  }
  for (const auto& result : apply_batch(operations).results) expect(result);
  const Node wide = folder("wide");
  folder(wide.id, "inner");
  expect(apply(Delete{wide.id}));
  EXPECT_EQ(code_of(apply(Restore{wide.id, any_base, chain[126], false})), Errc::too_deep);
  expect(apply(Restore{wide.id, any_base, chain[125], false}));
}

TEST_F(CommitDoorTest, AFolderCannotBeMovedIntoItselfOrBelow) {
  const Node top = folder("top");
  const Node middle = folder(top.id, "middle");
  const Node bottom = folder(middle.id, "bottom");
  EXPECT_EQ(code_of(apply(Move{top.id, top.id, std::nullopt})), Errc::cycle);
  EXPECT_EQ(code_of(apply(Move{top.id, middle.id, std::nullopt})), Errc::cycle);
  EXPECT_EQ(code_of(apply(Move{top.id, bottom.id, std::nullopt})), Errc::cycle);
  check_invariants();
}

TEST_F(CommitDoorTest, OfTwoRacingMovesIntoEachOtherOneWins) {
  for (int round = 0; round < 20; ++round) {
    const Node a = folder("a" + std::to_string(round));
    const Node b = folder("b" + std::to_string(round));
    std::atomic<int> moved = 0;
    auto move = [&](NodeId what, NodeId into) -> Task<> {
      const auto result = co_await door.commit_one(owner.caller, owner.space, Move{what, into, std::nullopt});
      if (result.has_value()) {
        ++moved;
      } else {
        EXPECT_EQ(result.error().code, Errc::cycle);
      }
    };
    std::vector<Task<>> tasks;
    tasks.push_back(move(a.id, b.id));
    tasks.push_back(move(b.id, a.id));
    testing::run_all(std::move(tasks));
    EXPECT_EQ(moved, 1);
  }
  check_invariants();
}

TEST_F(CommitDoorTest, TheRootCannotBeMovedRenamedOrDeleted) {
  const Node sub = folder("sub");
  EXPECT_EQ(code_of(apply(Move{owner.root, sub.id, std::nullopt})), Errc::forbidden);
  EXPECT_EQ(code_of(apply(Move{owner.root, std::nullopt, "x"})), Errc::forbidden);
  EXPECT_EQ(code_of(apply(Delete{owner.root})), Errc::forbidden);
  EXPECT_EQ(code_of(apply(Purge{owner.root})), Errc::invalid_request);
}

TEST_F(CommitDoorTest, AMoveNamesTheSeqItIsBasedOn) {
  const Node made = file("a.txt", "x");
  const Node sub = folder("sub");
  const Node moved = expect(apply(Move{made.id, sub.id, "b.md", made.seq}));
  EXPECT_EQ(moved.parent, sub.id);
  EXPECT_EQ(moved.filename, "b.md");
  EXPECT_EQ(moved.mime, "text/markdown");
  EXPECT_EQ(moved.version, 1) << "a move is no new content";
  EXPECT_EQ(code_of(apply(Move{made.id, owner.root, "c.txt", made.seq})), Errc::stale_base);
  check_invariants();
}

TEST_F(CommitDoorTest, AMoveToWhereTheItemIsChangesNothing) {
  const Node made = file("a.txt", "x");
  EXPECT_EQ(expect(apply(Move{made.id, owner.root, "a.txt", made.seq})).seq, made.seq);
}

TEST_F(CommitDoorTest, AMoveToATakenNameIsRefused) {
  const Node made = file("a.txt", "x");
  file("b.txt", "y");
  EXPECT_EQ(code_of(apply(Move{made.id, std::nullopt, "b.txt"})), Errc::name_taken);
  expect(apply(Move{made.id, std::nullopt, "A.txt"}));
}

TEST_F(CommitDoorTest, MetadataChangesNameTheirBase) {
  const Node made = file("run.sh", "x");
  const auto time = core::from_micros(1'234'567);
  const Node changed = expect(apply(SetMeta{made.id, made.seq, time, true}));
  EXPECT_EQ(changed.modified_at, time);
  EXPECT_TRUE(changed.executable);
  EXPECT_EQ(changed.version, 1);
  EXPECT_EQ(code_of(apply(SetMeta{made.id, made.seq, time, false})), Errc::stale_base);
  const Node sub = folder("sub");
  EXPECT_FALSE(expect(apply(SetMeta{sub.id, any_base, std::nullopt, true})).executable) << "only files are executable";
}

TEST_F(CommitDoorTest, ASymlinkIsTextThatIsNeverFollowed) {
  const Node link = expect(apply(PutSymlink{new_id(), owner.root, "link", "/etc/passwd", std::nullopt, 0}));
  EXPECT_EQ(link.kind, NodeKind::symlink);
  EXPECT_EQ(link.size, 0);
  const Node changed = expect(apply(PutSymlink{link.id, owner.root, "", "other", std::nullopt, link.seq}));
  EXPECT_EQ(changed.target, "other");
  EXPECT_EQ(changed.filename, "link");
  EXPECT_EQ(code_of(apply(PutSymlink{link.id, owner.root, "", "third", std::nullopt, link.seq})), Errc::stale_base);
  EXPECT_EQ(expect(apply(PutSymlink{link.id, owner.root, "", "other", std::nullopt, link.seq})).seq, changed.seq);
  EXPECT_EQ(code_of(put(new_version(link.id, 1), "content")), Errc::invalid_request);
  EXPECT_EQ(code_of(apply(PutSymlink{file("f", "x").id, owner.root, "", "y", std::nullopt, any_base})),
            Errc::invalid_request);
  for (const std::string& target : {std::string(), std::string(5'000, 'x'), std::string("a\0b", 3)}) {
    EXPECT_EQ(code_of(apply(PutSymlink{new_id(), owner.root, "bad", target, std::nullopt, 0})), Errc::invalid_request);
  }
}

TEST_F(CommitDoorTest, ADeleteNamesTheSeqItIsBasedOn) {
  const Node made = file("a.txt", "x");
  const Node renamed = expect(apply(Move{made.id, std::nullopt, "b.txt"}));
  EXPECT_EQ(code_of(apply(Delete{made.id, made.seq, std::nullopt})), Errc::stale_base);
  const Node trashed = expect(apply(Delete{made.id, renamed.seq, std::nullopt}));
  EXPECT_EQ(trashed.deleted_at, clock.now());
  EXPECT_EQ(code_of(apply(Delete{made.id})), Errc::gone);
  EXPECT_EQ(space().storage_used, 1) << "the trash counts";
  check_invariants();
}

TEST_F(CommitDoorTest, AFolderWithUnseenChangesIsNotDeleted) {
  const Node top = folder("top");
  const Node sub = folder(top.id, "sub");
  const auto seen = space().seq;
  const Node late = file(sub.id, "late.txt", "another device wrote this");
  const auto refused = apply(Delete{top.id, top.seq, seen});
  EXPECT_EQ(code_of(refused), Errc::stale_base);
  EXPECT_NE(refused.error().extension.find(core::to_text(FileId{owner.space, top.id})), std::string::npos);
  expect(apply(Delete{top.id, top.seq, late.seq}));
}

TEST_F(CommitDoorTest, ADeviceMayEmptyAndDeleteAFolderInOneBatch) {
  const Node top = folder("top");
  const Node inner = file(top.id, "a", "x");
  const auto seen = space().seq;
  const std::vector<Operation> operations{Delete{inner.id, inner.seq, seen}, Delete{top.id, top.seq, seen}};
  for (const auto& result : apply_batch(operations).results) expect(result);
}

TEST_F(CommitDoorTest, WhatLiesBelowATrashedFolderIsGoneForEveryEdit) {
  const Node top = folder("top");
  const Node sub = folder(top.id, "sub");
  const Node inner = file(sub.id, "a.txt", "x");
  expect(apply(Delete{top.id}));
  EXPECT_EQ(code_of(put(new_version(inner.id, 1), "edited")), Errc::gone);
  EXPECT_EQ(code_of(apply(Move{inner.id, owner.root, std::nullopt})), Errc::gone);
  EXPECT_EQ(code_of(apply(SetMeta{inner.id, any_base, std::nullopt, true})), Errc::gone);
  EXPECT_EQ(code_of(apply(Delete{inner.id})), Errc::gone);
  EXPECT_EQ(code_of(apply(RestoreVersion{inner.id, 1})), Errc::gone);
  EXPECT_EQ(code_of(apply(Copy{inner.id, new_id(), owner.root, "x"})), Errc::gone);
  // An edit beats the delete: the device makes the path anew, the names are free.
  const Node anew = folder("top");
  file(anew.id, "a.txt", "edited");
  check_invariants();
}

TEST_F(CommitDoorTest, ARestoreIsOneRowAndComplete) {
  const Node top = folder("top");
  const Node inner = file(top.id, "a.txt", "x");
  const Node trashed = expect(apply(Delete{top.id}));
  const auto before = space().seq;
  const Node restored = expect(apply(Restore{top.id, trashed.seq, std::nullopt, false}));
  EXPECT_TRUE(restored.is_live());
  EXPECT_EQ(journal(owner, before).size(), 1U);
  expect(put(new_version(inner.id, 1), "edited"));
  EXPECT_EQ(expect(apply(Restore{top.id, any_base, std::nullopt, false})).seq, restored.seq) << "a retry";
  check_invariants();
}

TEST_F(CommitDoorTest, ARestoreToATakenNameIsRefusedUnlessItMayRename) {
  const Node first = file("a.txt", "first");
  expect(apply(Delete{first.id}));
  const Node second = file("a.txt", "second");
  const auto refused = apply(Restore{first.id, any_base, std::nullopt, false});
  EXPECT_EQ(code_of(refused), Errc::name_taken);
  EXPECT_EQ(refused.error().extension, "\"item\":" + to_item(owner.space, second));
  EXPECT_EQ(expect(apply(Restore{first.id, any_base, std::nullopt, true})).filename, "a (2).txt");
}

TEST_F(CommitDoorTest, ARestoreNeedsALiveFolderToGoTo) {
  const Node top = folder("top");
  const Node inner = file(top.id, "a.txt", "x");
  const Node inner_trashed = expect(apply(Delete{inner.id}));
  const Node top_trashed = expect(apply(Delete{top.id}));
  EXPECT_EQ(code_of(apply(Restore{inner.id, inner_trashed.seq - 1, std::nullopt, false})), Errc::stale_base);
  EXPECT_EQ(code_of(apply(Restore{inner.id, any_base, std::nullopt, false})), Errc::gone);
  EXPECT_EQ(expect(apply(Restore{inner.id, any_base, owner.root, false})).parent, owner.root);
  EXPECT_EQ(code_of(apply(Restore{top.id, top_trashed.seq, top.id, false})), Errc::cycle);
  EXPECT_EQ(code_of(apply(Restore{new_id(), any_base, std::nullopt, false})), Errc::gone);
  check_invariants();
}

TEST_F(CommitDoorTest, RestoringAVersionMakesItTheNewestOne) {
  const Node made = file("a.txt", "first");
  expect(put(new_version(made.id, 1), "second, longer"));
  EXPECT_EQ(code_of(apply(RestoreVersion{made.id, 1, 1})), Errc::stale_base);
  const Node restored = expect(apply(RestoreVersion{made.id, 1, 2}));
  EXPECT_EQ(restored.version, 3);
  EXPECT_EQ(content_of(made.id), "first");
  EXPECT_EQ(space().storage_used, 5);
  EXPECT_EQ(expect(apply(RestoreVersion{made.id, 1})).version, 3) << "it has this content already";
  EXPECT_EQ(code_of(apply(RestoreVersion{made.id, 9})), Errc::not_found);
  EXPECT_EQ(code_of(apply(RestoreVersion{folder("f").id, 1})), Errc::invalid_request);
  const auto versions = run(service.versions(owner.caller, FileId{owner.space, made.id}, 10)).value();
  ASSERT_EQ(versions.size(), 3U);
  EXPECT_EQ(versions.front().number, 3);
  EXPECT_EQ(versions.front().device_name, "Laptop");
  check_invariants();
}

TEST_F(CommitDoorTest, OnlyTheOwnerMayCommitAndNobodyLearnsMore) {
  const Account stranger = add_account("stranger@example.org");
  const Node made = file("a.txt", "x");
  const auto refused = run(door.commit_one(stranger.caller, owner.space, Delete{made.id}));
  EXPECT_EQ(code_of(refused), Errc::not_found);
  EXPECT_EQ(code_of(run(door.commit_one(stranger.caller, SpaceId{}, Delete{made.id}))), Errc::not_found);
}

TEST_F(CommitDoorTest, ANoticeTellsTheChangedRowsAfterTheCommit) {
  std::vector<CommitNotice> notices;
  door.set_listener([&](const CommitNotice& notice) { notices.push_back(notice); });
  const Node made = folder("a");
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].space, owner.space);
  EXPECT_EQ(notices[0].owner, owner.caller.user);
  EXPECT_EQ(notices[0].to, made.seq);
  EXPECT_EQ(notices[0].from, made.seq - 1);
  ASSERT_EQ(notices[0].changed.size(), 1U);
  EXPECT_EQ(notices[0].changed[0].id, made.id);
  EXPECT_TRUE(apply(MakeFolder{new_id(), owner.root, "a"}).has_error());
  EXPECT_EQ(notices.size(), 1U) << "nothing was committed";
}

TEST_F(CommitDoorTest, AFileAboveTheLimitOfThePlanIsRefused) {
  const Account small = add_account("small@example.org", "tiny");
  Put op = new_file(new_id(), small.root, "big");
  op.content = content_of(std::vector<Bytes>{Bytes(10)});
  op.content.size = StorageWorld::mib / 2 + 1;
  EXPECT_EQ(code_of(apply(small, op)), Errc::file_too_large);
}

TEST_F(CommitDoorTest, AChunkThatIsNotInTheSpaceIsRefused) {
  const std::vector<Bytes> parts{content::pseudo_random_bytes(1, 1'000)};
  Put op = new_file(new_id(), owner.root, "a");
  op.content = content_of(parts);
  EXPECT_EQ(code_of(apply(op)), Errc::chunk_unknown);
  const Account stranger = add_account("stranger@example.org");
  ASSERT_TRUE(send_chunks(stranger, parts).has_value());
  EXPECT_EQ(code_of(apply(op)), Errc::chunk_unknown) << "chunks of another space do not count";
  ASSERT_TRUE(send_chunks(owner, parts).has_value());
  Put wrong_size = op;
  wrong_size.content.chunks[0].size += 1;
  EXPECT_EQ(code_of(apply(wrong_size)), Errc::chunk_unknown);
  Put wrong_node = op;
  wrong_node.content.node_chunks = {content::ChunkName{}};
  EXPECT_EQ(code_of(apply(wrong_node)), Errc::chunk_unknown);
  expect(apply(op));
  check_invariants();
}

}  // namespace
}  // namespace clouddocs::storage
