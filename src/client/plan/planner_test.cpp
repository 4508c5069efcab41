// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/plan/planner.hpp"

#include <gtest/gtest.h>

#include "client/plan/model_tree.hpp"

namespace clouddocs::client {
namespace {

// Trees drawn with single letters as ids. Content is kept in `target`.
class PlannerTest : public testing::Test {
 protected:
  static NodeId id(char c) {
    NodeId out;
    out.bytes[15] = static_cast<std::byte>(c);
    return out;
  }
  NodeId parent(char c) { return c == '/' ? base.root() : id(c); }
  void folder(char c, char above, const std::string& name) { base.add(id(c), parent(above), name, Kind::folder, ""); }
  void file(char c, char above, const std::string& name) { base.add(id(c), parent(above), name, Kind::file, std::string("content of ") + c); }
  void start() { local = remote = base; }

  // Plans, carries the plan out on both sides, and expects that nothing is left to do.
  Plan settle() {
    const PlanOptions options{base.root(), "laptop", {}, [this] { return id(next++); }};
    auto out = plan(base, local.difference_from(base), remote.difference_from(base), options);
    local.rename(out);
    for (const auto& step : out.remote) remote.apply(step, out, true);
    for (const auto& step : out.local) local.apply(step, out, false);
    EXPECT_EQ(local.listing(), remote.listing());
    base = remote;
    EXPECT_TRUE(plan(base, local.difference_from(base), remote.difference_from(base), options).is_empty());
    return out;
  }

  ModelTree base;
  ModelTree local;
  ModelTree remote;
  char next = 'A';
};

TEST_F(PlannerTest, NothingChangedMeansNothingToDo) {
  file('f', '/', "f");
  start();
  EXPECT_TRUE(settle().is_empty());
}

TEST_F(PlannerTest, RenameIsOneMove) {
  file('f', '/', "f");
  start();
  local.move(id('f'), base.root(), "g");
  const auto out = settle();
  ASSERT_EQ(out.remote.size(), 1U);
  EXPECT_EQ(out.remote[0].type, Step::Type::move);
  EXPECT_TRUE(out.local.empty());
}

TEST_F(PlannerTest, DeletedFolderIsOneStepOnTheServer) {
  folder('d', '/', "d");
  folder('e', 'd', "e");
  file('f', 'e', "f");
  start();
  local.remove(id('d'));
  const auto out = settle();
  ASSERT_EQ(out.remote.size(), 1U);
  EXPECT_EQ(out.remote[0].id, id('d'));
}

TEST_F(PlannerTest, RemoteMoveWinsOverLocalMove) {
  file('f', '/', "f");
  start();
  local.move(id('f'), base.root(), "mine");
  remote.move(id('f'), base.root(), "theirs");
  EXPECT_TRUE(settle().remote.empty());
  EXPECT_EQ(local.path(id('f')), "/theirs");
}

TEST_F(PlannerTest, EditsOnBothSidesKeepTheRemoteUnderTheName) {
  file('f', '/', "f.txt");
  start();
  local.edit(id('f'), "mine");
  remote.edit(id('f'), "theirs");
  const auto out = settle();
  ASSERT_EQ(out.conflicts.size(), 1U);
  EXPECT_EQ(out.conflicts[0].copy, "f (conflict, laptop, 1970-01-01).txt");
  EXPECT_EQ(remote.contents(), (std::set<std::string>{"mine", "theirs"}));
}

TEST_F(PlannerTest, EditBeatsDeleteOnEitherSide) {
  folder('d', '/', "d");
  file('f', 'd', "f");
  file('g', 'd', "g");
  start();
  local.edit(id('f'), "edited");
  remote.remove(id('d'));
  settle();
  EXPECT_EQ(local.listing(), (std::set<std::string>{"/d/ = ", "/d/f = edited"}));
  start();
  local.remove(*remote.find_child(base.root(), "d"));
  remote.edit(*remote.find_child(*remote.find_child(base.root(), "d"), "f"), "edited again");
  settle();
  EXPECT_EQ(local.contents(), std::set<std::string>{"edited again"});
}

TEST_F(PlannerTest, MovedFolderKeepsItsContentWhenTheOtherSideDeletedIt) {
  folder('d', '/', "d");
  file('f', 'd', "f");
  start();
  local.move(id('d'), base.root(), "moved");
  remote.remove(id('d'));
  settle();
  EXPECT_EQ(remote.contents(), std::set<std::string>{"content of f"});
}

TEST_F(PlannerTest, FoldersMovedIntoEachOtherFollowTheServer) {
  folder('a', '/', "a");
  folder('b', '/', "b");
  start();
  local.move(id('a'), id('b'), "a");
  remote.move(id('b'), id('a'), "b");
  settle();
  EXPECT_EQ(local.path(id('b')), "/a/b");
}

TEST_F(PlannerTest, SameFolderMadeOnBothSidesBecomesOne) {
  start();
  local.add(id('x'), base.root(), "d", Kind::folder, "");
  local.add(id('y'), id('x'), "mine", Kind::file, "1");
  remote.add(id('z'), base.root(), "d", Kind::folder, "");
  remote.add(id('w'), id('z'), "theirs", Kind::file, "2");
  settle();
  EXPECT_EQ(local.listing(), (std::set<std::string>{"/d/ = ", "/d/mine = 1", "/d/theirs = 2"}));
}

TEST_F(PlannerTest, SwappedNamesGoThroughATransitName) {
  file('f', '/', "f");
  file('g', '/', "g");
  start();
  local.move(id('f'), base.root(), "t");
  local.move(id('g'), base.root(), "f");
  local.move(id('f'), base.root(), "g");
  EXPECT_EQ(settle().remote.size(), 3U);
}

TEST_F(PlannerTest, FolderThatTakesThePlaceOfTheOneItCameOutOf) {
  folder('d', '/', "d");
  folder('e', 'd', "e");
  file('f', 'e', "f");
  start();
  local.move(id('e'), base.root(), "t");
  local.remove(id('d'));
  local.move(id('e'), base.root(), "d");
  settle();
  EXPECT_EQ(remote.path(id('f')), "/d/f");
}

TEST_F(PlannerTest, NodeLeftInTransitGoesBackToItsName) {
  file('f', '/', "f");
  start();
  remote.move(id('f'), base.root(), std::string(transit_prefix) + "x");
  settle();
  EXPECT_EQ(remote.path(id('f')), "/f");
}

}  // namespace
}  // namespace clouddocs::client
