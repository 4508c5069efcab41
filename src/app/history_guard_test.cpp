// SPDX-License-Identifier: AGPL-3.0-or-later
#include "app/history_guard.hpp"

#include <gtest/gtest.h>

#include "app/world.hpp"
#include "testing/temporary_directory.hpp"

namespace clouddocs::app {
namespace {

constexpr database::Statement rewind_journals{"rewind", "UPDATE spaces SET seq = seq - 5"};
constexpr database::Statement read_epoch{"epoch", "SELECT MAX(epoch) FROM spaces"};

class HistoryGuardTest : public ::testing::Test {
 protected:
  static Config config_in(const std::filesystem::path& path) {
    Config config;
    config.data = path / "data";
    return config;
  }
  HistoryGuardTest() {
    world.run(world.database->migrate());
    world.run(world.auth.register_user({"a@example.org", "correct horse", "device", "", "en"})).value();
  }
  std::int64_t epoch() {
    auto body = [&](database::Transaction& tx) -> core::Task<core::Result<std::int64_t>> {
      const auto rows = co_await tx.execute(read_epoch);
      co_return rows.front().int64(0);
    };
    return world.run(database::read(*world.database, body)).value();
  }
  void rewind() {
    auto body = [&](database::Transaction& tx) -> core::Task<core::Result<>> {
      co_await tx.execute(rewind_journals);
      co_return core::Result<>();
    };
    world.run(database::write(*world.database, body)).value();
  }
  void start() {
    HistoryGuard guard(*world.database, *world.blobs);
    world.run(guard.start());
  }
  const testing::TemporaryDirectory folder;
  World world{config_in(folder.path())};
};

TEST_F(HistoryGuardTest, AnOrdinaryRestartKeepsTheEpoch) {
  start();
  start();
  EXPECT_EQ(epoch(), 1);
}

TEST_F(HistoryGuardTest, AnOlderDatabaseBeginsANewEpoch) {
  start();
  rewind();
  start();
  EXPECT_EQ(epoch(), 2);
  start();
  EXPECT_EQ(epoch(), 2) << "and only once";
}

TEST_F(HistoryGuardTest, TheSameBackupRestoredTwiceGetsAnotherEpoch) {
  start();
  rewind();
  start();
  rewind();
  start();
  EXPECT_EQ(epoch(), 3);
}

}  // namespace
}  // namespace clouddocs::app
