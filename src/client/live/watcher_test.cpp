// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/live/watcher.hpp"

#include <gtest/gtest.h>

#include "client/engine/device.hpp"

namespace clouddocs::client {
namespace {

using std::chrono::milliseconds;

class WatcherTest : public testing::Test {
 protected:
  void write(const std::string& path) { std::ofstream(folder.path / path) << "x"; }
  std::set<std::string> changed(Watcher& watcher) {
    Watcher::Changes changes;
    do {
      const auto before = changes.folders.size();
      watcher.wait(milliseconds(200), changes);
      if (changes.folders.size() == before) break;
    } while (true);
    return changes.folders;
  }
  TemporaryFolder folder;
};

TEST_F(WatcherTest, TellsTheFolderOfAChange) {
  std::filesystem::create_directories(folder.path / "a/b");
  Watcher watcher(folder.path);
  write("a/b/file");
  EXPECT_EQ(changed(watcher), std::set<std::string>{"a/b"});
  std::filesystem::remove(folder.path / "a/b/file");
  EXPECT_EQ(changed(watcher), std::set<std::string>{"a/b"});
}

TEST_F(WatcherTest, WatchesFoldersThatAreMadeOrMovedLater) {
  Watcher watcher(folder.path);
  std::filesystem::create_directories(folder.path / "new/inner");
  EXPECT_TRUE(changed(watcher).contains(""));
  write("new/inner/file");
  EXPECT_TRUE(changed(watcher).contains("new/inner"));
  std::filesystem::rename(folder.path / "new", folder.path / "moved");
  changed(watcher);
  write("moved/inner/file");
  EXPECT_TRUE(changed(watcher).contains("moved/inner"));
}

TEST_F(WatcherTest, IgnoresTheClientsOwnFiles) {
  std::filesystem::create_directories(folder.path / ".clouddocs/tmp");
  Watcher watcher(folder.path);
  write(".clouddocs/tmp/download");
  EXPECT_TRUE(changed(watcher).empty());
}

TEST_F(WatcherTest, WakeEndsTheWait) {
  Watcher watcher(folder.path);
  watcher.wake();
  Watcher::Changes changes;
  const auto before = std::chrono::steady_clock::now();
  watcher.wait(milliseconds(10'000), changes);
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds(5'000));
  EXPECT_TRUE(changes.is_empty());
}

}  // namespace
}  // namespace clouddocs::client
