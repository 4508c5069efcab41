// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/state/state.hpp"

#include <gtest/gtest.h>

#include "client/engine/device.hpp"

namespace clouddocs::client {
namespace {

Node some_file() {
  Node node;
  node.id.bytes[0] = std::byte{7};
  node.name = "file";
  node.sha256[3] = std::byte{9};
  return node;
}

TEST(State, KeepsTheHashThatTheServerTold) {
  TemporaryFolder folder;
  State state(folder.path / "state.db");
  state.put_remote({some_file(), false});
  EXPECT_EQ(state.find_remote(some_file().id)->sha256, some_file().sha256);
}

TEST(State, OpensAFileFromBeforeTheHashWasKept) {
  TemporaryFolder folder;
  const auto path = folder.path / "state.db";
  {
    State state(path);
    state.put_remote({some_file(), false});
  }
  Sqlite(path).execute("ALTER TABLE remote DROP COLUMN sha256");
  State state(path);
  const auto old = state.find_remote(some_file().id);
  ASSERT_TRUE(old);
  EXPECT_EQ(old->name, "file");
  EXPECT_EQ(old->sha256, content::Sha256{});
  state.put_remote({some_file(), false});
  EXPECT_EQ(state.find_remote(some_file().id)->sha256, some_file().sha256);
}

}  // namespace
}  // namespace clouddocs::client
