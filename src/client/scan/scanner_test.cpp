// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/scan/scanner.hpp"

#include <gtest/gtest.h>

#include "client/engine/device.hpp"

namespace clouddocs::client {
namespace {

class ScannerTest : public testing::Test {
 protected:
  ScannerTest() { root_id.bytes[0] = std::byte{1}; }

  void write(const std::string& path, std::string_view text) {
    std::filesystem::create_directories((folder.path / path).parent_path());
    std::ofstream(folder.path / path) << text;
  }
  ScanResult scan() {
    return Scanner(state, {folder.path, root_id, [this] { return core::make_id<NodeId>(clock, random); }}).scan_all();
  }
  // Takes what is on the disk as synced.
  void settle() {
    auto result = scan();
    for (auto& [id, node] : result.local) node ? state.put_synced(*node) : state.remove_synced(id);
    EXPECT_TRUE(scan().local.empty());
  }
  NodeId id_of(const std::string& name, const NodeId& parent) { return state.find_child(parent, name).value(); }

  TemporaryFolder folder;
  State state{":memory:"};
  SeededRandom random{1};
  SetClock clock;
  NodeId root_id;
};

TEST_F(ScannerTest, NewFilesAndFoldersHaveToBeRead) {
  write("a/b", "1");
  const auto result = scan();
  EXPECT_EQ(result.local.size(), 2U);
  ASSERT_EQ(result.to_read.size(), 1U);
  EXPECT_EQ(result.to_read.begin()->second, "a/b");
}

TEST_F(ScannerTest, RenamedAndMovedFilesKeepTheirId) {
  write("one", "1");
  write("folder/two", "2");
  settle();
  const auto one = id_of("one", root_id);
  const auto folder_id = id_of("folder", root_id);
  std::filesystem::rename(folder.path / "one", folder.path / "folder/renamed");
  std::filesystem::rename(folder.path / "folder", folder.path / "moved");
  const auto result = scan();
  ASSERT_EQ(result.local.size(), 2U);
  EXPECT_EQ(result.local.at(one)->name, "renamed");
  EXPECT_EQ(result.local.at(one)->parent, folder_id);
  EXPECT_EQ(result.local.at(folder_id)->name, "moved");
}

TEST_F(ScannerTest, FileReplacedByRenameKeepsTheIdOfItsPlace) {
  write("document", "old");
  settle();
  const auto id = id_of("document", root_id);
  write("document.new", "new content");
  std::filesystem::rename(folder.path / "document.new", folder.path / "document");
  const auto result = scan();
  ASSERT_EQ(result.local.size(), 1U);
  EXPECT_TRUE(result.to_read.contains(id));
}

TEST_F(ScannerTest, HardLinkIsAFileOfItsOwn) {
  write("original", "1");
  settle();
  std::filesystem::create_hard_link(folder.path / "original", folder.path / "second");
  const auto result = scan();
  const auto id = id_of("original", root_id);
  for (const auto& [key, node] : result.local) {
    ASSERT_TRUE(node);
    EXPECT_EQ(node->name, key == id ? "original" : "second");
  }
}

TEST_F(ScannerTest, DeletedFoldersListWhatWasInThem) {
  write("a/b/c", "1");
  write("a/d", "2");
  settle();
  std::filesystem::remove_all(folder.path / "a");
  const auto result = scan();
  EXPECT_EQ(result.local.size(), 4U);
  for (const auto& [id, node] : result.local) EXPECT_FALSE(node);
}

TEST_F(ScannerTest, FileThatBecameAFolderIsANewNode) {
  write("thing", "1");
  settle();
  const auto id = id_of("thing", root_id);
  std::filesystem::remove(folder.path / "thing");
  std::filesystem::create_directory(folder.path / "thing");
  const auto result = scan();
  EXPECT_EQ(result.local.size(), 2U);
  EXPECT_EQ(result.local.at(id), std::nullopt);
}

TEST_F(ScannerTest, SpecialFilesAreReported) {
  ASSERT_EQ(::mkfifo((folder.path / "pipe").c_str(), 0600), 0);
  const auto result = scan();
  EXPECT_TRUE(result.local.empty());
  ASSERT_EQ(result.unsynced.size(), 1U);
  EXPECT_EQ(result.unsynced[0].path, "pipe");
}

}  // namespace
}  // namespace clouddocs::client
