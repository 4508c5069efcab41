// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/engine/sync_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/engine/device.hpp"
#include "client/remote/model_server.hpp"
#include "content/pseudo_random.hpp"

namespace clouddocs::client {
namespace {

using testing::Contains;
using testing::HasSubstr;

class SyncEngineTest : public testing::Test {
 protected:
  void sync_both() {
    for (int i = 0; i < 3; ++i) {
      a.sync();
      b.sync();
    }
  }
  void expect_equal() {
    EXPECT_EQ(a.listing(), server.listing());
    EXPECT_EQ(b.listing(), server.listing());
  }

  SeededRandom random{1};
  SetClock clock;
  ModelServer server{random};
  Device a{"alpha", server, clock, random};
  Device b{"beta", server, clock, random};
};

TEST_F(SyncEngineTest, FilesFoldersAndLinksReachTheOtherDevice) {
  a.write("readme.txt", "hello");
  a.write("deep/er/file", "x");
  a.write("empty", "");
  std::filesystem::create_directory(a.root() / "hollow");
  std::filesystem::create_symlink("deep/er", a.root() / "link");
  a.write("tool", "#!/bin/sh\n");
  std::filesystem::permissions(a.root() / "tool", std::filesystem::perms::owner_exec,
                               std::filesystem::perm_options::add);
  set_meta(a.root() / "readme.txt", 1'000'000'123'456, std::nullopt);
  EXPECT_TRUE(a.sync().is_equal);
  const auto report = b.sync();
  EXPECT_TRUE(report.is_equal);
  EXPECT_EQ(report.downloaded, 4);
  EXPECT_EQ(b.read("readme.txt"), "hello");
  EXPECT_EQ(find_stat(b.root() / "readme.txt")->modified_at(), 1'000'000'123'456);
  EXPECT_TRUE(find_stat(b.root() / "tool")->executable);
  expect_equal();
}

TEST_F(SyncEngineTest, SecondSyncAsksOnlyForChanges) {
  a.write("one", "1");
  // Written a while ago: a file as fresh as the clock's step would be read again.
  set_meta(a.root() / "one", 1'000'000'123'456, std::nullopt);
  sync_both();
  const auto before = server.counters.requests;
  EXPECT_TRUE(a.sync().is_equal);
  EXPECT_EQ(server.counters.requests - before, 1);
}

TEST_F(SyncEngineTest, RenameCostsNoUpload) {
  a.write("folder/big", std::string(100'000, 'x'));
  sync_both();
  const auto before = server.counters;
  a.move("folder", "renamed");
  a.move("renamed/big", "big");
  EXPECT_EQ(a.sync().uploaded, 0);
  EXPECT_EQ(b.sync().downloaded, 0);
  EXPECT_EQ(server.counters.bytes_stored, before.bytes_stored);
  EXPECT_EQ(server.counters.bytes_fetched, before.bytes_fetched);
  EXPECT_TRUE(b.has("big"));
  EXPECT_FALSE(b.has("folder"));
  expect_equal();
}

TEST_F(SyncEngineTest, EditAndDeleteReachTheOtherDevice) {
  a.write("keep", "1");
  a.write("drop/inner", "2");
  sync_both();
  a.write("keep", "changed");
  a.remove("drop");
  sync_both();
  EXPECT_EQ(b.read("keep"), "changed");
  EXPECT_FALSE(b.has("drop"));
  expect_equal();
}

TEST_F(SyncEngineTest, FileEditedOnBothDevicesIsKeptTwice) {
  a.write("report.txt", "base");
  sync_both();
  a.write("report.txt", "from alpha");
  b.write("report.txt", "from beta");
  a.sync();
  const auto report = b.sync();
  ASSERT_EQ(report.conflicts.size(), 1U);
  EXPECT_EQ(report.conflicts[0].copy, "report (conflict, beta, 2025-11-23).txt");
  sync_both();
  EXPECT_EQ(a.read("report.txt"), "from alpha");
  EXPECT_EQ(a.read("report (conflict, beta, 2025-11-23).txt"), "from beta");
  expect_equal();
}

TEST_F(SyncEngineTest, SameEditOnBothDevicesIsNoConflict) {
  a.write("report.txt", "base");
  sync_both();
  a.write("report.txt", "same");
  b.write("report.txt", "same");
  b.write("new", "made twice");
  a.write("new", "made twice");
  a.sync();
  EXPECT_TRUE(b.sync().conflicts.empty());
  sync_both();
  EXPECT_EQ(server.listing().size(), 2U);
  expect_equal();
}

TEST_F(SyncEngineTest, EditBeatsDelete) {
  a.write("folder/file", "base");
  a.write("folder/other", "base");
  sync_both();
  a.write("folder/file", "edited");
  b.remove("folder");
  b.sync();
  a.sync();
  sync_both();
  EXPECT_EQ(b.read("folder/file"), "edited");
  EXPECT_FALSE(a.has("folder/other"));
  expect_equal();
}

TEST_F(SyncEngineTest, NewFileInFolderThatTheOtherDeviceDeletedBringsTheFolderBack) {
  a.write("folder/old", "1");
  sync_both();
  a.remove("folder");
  b.write("folder/new", "2");
  b.sync();
  a.sync();
  sync_both();
  EXPECT_EQ(a.read("folder/new"), "2");
  EXPECT_FALSE(a.has("folder/old"));
  expect_equal();
}

TEST_F(SyncEngineTest, SwappedNamesArriveSwapped) {
  a.write("x", "1");
  a.write("y", "2");
  sync_both();
  a.move("x", "t");
  a.move("y", "x");
  a.move("t", "y");
  EXPECT_EQ(a.sync().uploaded, 0);
  sync_both();
  EXPECT_EQ(b.read("x"), "2");
  EXPECT_EQ(b.read("y"), "1");
  expect_equal();
}

TEST_F(SyncEngineTest, FoldersMovedIntoEachOtherOnBothSidesSettle) {
  a.write("one/f", "1");
  a.write("two/g", "2");
  sync_both();
  a.move("one", "two/one");
  b.move("two", "one/two");
  sync_both();
  sync_both();
  expect_equal();
  EXPECT_EQ(server.every_content().size(), 2U);
}

TEST_F(SyncEngineTest, FileTurnedIntoFolderAndBack) {
  a.write("thing", "a file");
  sync_both();
  a.remove("thing");
  a.write("thing/inside", "now a folder");
  sync_both();
  EXPECT_EQ(b.read("thing/inside"), "now a folder");
  b.remove("thing");
  b.write("thing", "a file again");
  sync_both();
  EXPECT_EQ(a.read("thing"), "a file again");
  expect_equal();
}

TEST_F(SyncEngineTest, SmallChangeInLargeFileMovesFewBytes) {
  auto content = content::pseudo_random_bytes(5, 12U << 20);
  a.write("big", core::as_text(content));
  sync_both();
  const auto before = server.counters;
  const auto inserted = content::pseudo_random_bytes(6, 100);
  content.insert(content.begin(), inserted.begin(), inserted.end());
  a.write("big", core::as_text(content));
  sync_both();
  expect_equal();
  EXPECT_LT(server.counters.bytes_stored - before.bytes_stored, 3 << 20);
  EXPECT_LT(server.counters.bytes_fetched - before.bytes_fetched, 3 << 20);
}

TEST_F(SyncEngineTest, FileWithFoldedManifestArrives) {
  a.write("huge", core::as_text(content::pseudo_random_bytes(8, 48U << 20)));
  EXPECT_TRUE(a.sync().is_equal);
  EXPECT_TRUE(b.sync().is_equal);
  expect_equal();
}

TEST_F(SyncEngineTest, MassDeleteIsRefusedUnlessAllowed) {
  for (int i = 0; i < 80; ++i) a.write("f" + std::to_string(i), "x" + std::to_string(i));
  sync_both();
  for (int i = 0; i < 70; ++i) a.remove("f" + std::to_string(i));
  EXPECT_THROW(a.sync(), SyncRefused);
  EXPECT_EQ(server.listing().size(), 80U);
  a.allow_mass_delete = true;
  a.sync();
  EXPECT_EQ(server.listing().size(), 10U);
}

TEST_F(SyncEngineTest, MissingFolderIsNotReadAsEverythingDeleted) {
  a.write("file", "x");
  sync_both();
  std::filesystem::rename(a.root(), a.root().string() + ".away");
  std::filesystem::create_directory(a.root());
  EXPECT_THROW(a.sync(), SyncRefused);
  a.crash();
  EXPECT_THROW(a.sync(), SyncRefused);
  EXPECT_EQ(server.listing().size(), 1U);
}

TEST_F(SyncEngineTest, IgnoredFilesStayHere) {
  a.write(".clouddocsignore", "*.tmp\nbuild/\n");
  a.write("x.tmp", "1");
  a.write("build/out", "2");
  a.write("x.txt", "3");
  sync_both();
  EXPECT_TRUE(b.has("x.txt"));
  EXPECT_FALSE(b.has("x.tmp"));
  EXPECT_FALSE(b.has("build"));
}

TEST_F(SyncEngineTest, NamesThatAreNotTextAreReportedNotSkippedSilently) {
  a.write(
      "bad\xff"
      "name",
      "x");
  a.write("good", "y");
  const auto report = a.sync();
  EXPECT_FALSE(report.is_equal);
  ASSERT_EQ(report.unsynced.size(), 1U);
  EXPECT_THAT(report.unsynced[0].reason, HasSubstr("UTF-8"));
  EXPECT_THAT(server.listing(), testing::SizeIs(1));
}

TEST_F(SyncEngineTest, NamesThatDifferByCaseAreTwoFiles) {
  a.write("xt_MARK.h", "1");
  a.write("xt_mark.h", "2");
  sync_both();
  EXPECT_EQ(b.read("xt_MARK.h"), "1");
  EXPECT_EQ(b.read("xt_mark.h"), "2");
  a.move("xt_MARK.h", "xt_Mark.h");
  sync_both();
  EXPECT_TRUE(b.has("xt_Mark.h"));
  expect_equal();
}

TEST_F(SyncEngineTest, RelistDeletesWhatTheServerLacks) {
  a.write("keep", "1");
  a.write("drop", "2");
  sync_both();
  b.remove("drop");
  b.sync();
  server.drop_journal();
  sync_both();
  EXPECT_FALSE(a.has("drop"));
  expect_equal();
}

TEST_F(SyncEngineTest, ResyncMergesAndDeletesNothing) {
  a.write("one", "1");
  sync_both();
  server.start_new_epoch();
  b.write("two", "2");
  sync_both();
  EXPECT_EQ(server.listing().size(), 2U);
  expect_equal();
}

TEST_F(SyncEngineTest, PartialScanSeesChangesInNamedFolders) {
  a.write("deep/er/file", "1");
  a.write("top", "1");
  sync_both();
  a.write("deep/er/file", "2");
  a.write("deep/new/inner", "3");
  a.move("top", "deep/top");
  EXPECT_TRUE(a.sync(std::set<std::string>{"", "deep", "deep/er"}).is_equal);
  EXPECT_EQ(a.listing(), server.listing());
  EXPECT_EQ(server.counters.bytes_stored, 3);
}

TEST_F(SyncEngineTest, PurgedFilesDisappear) {
  a.write("folder/file", "1");
  sync_both();
  a.remove("folder");
  a.sync();
  server.purge_trash();
  sync_both();
  EXPECT_FALSE(b.has("folder"));
  expect_equal();
}

TEST_F(SyncEngineTest, MetaChangesTravelWithoutContent) {
  a.write("file", "1");
  sync_both();
  const auto before = server.counters;
  set_meta(a.root() / "file", 5'000'000, true);
  EXPECT_EQ(a.sync().uploaded, 0);
  sync_both();
  EXPECT_EQ(find_stat(b.root() / "file")->modified_at(), 5'000'000);
  EXPECT_TRUE(find_stat(b.root() / "file")->executable);
  EXPECT_EQ(server.counters.bytes_fetched, before.bytes_fetched);
}

}  // namespace
}  // namespace clouddocs::client
