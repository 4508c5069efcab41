// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/scan/ignore_rules.hpp"

#include <gtest/gtest.h>

namespace clouddocs::client {
namespace {

TEST(IgnoreRules, PatternWithoutSlashMatchesNamesEverywhere) {
  const IgnoreRules rules("*.tmp\n# a comment\n\nThumbs.db\n");
  EXPECT_TRUE(rules.is_ignored("a.tmp", false));
  EXPECT_TRUE(rules.is_ignored("deep/down/a.tmp", false));
  EXPECT_TRUE(rules.is_ignored("deep/Thumbs.db", false));
  EXPECT_FALSE(rules.is_ignored("a.tmp.txt", false));
}

TEST(IgnoreRules, SlashAnchorsAtTheTop) {
  const IgnoreRules rules("/build\ndocs/*.pdf\n");
  EXPECT_TRUE(rules.is_ignored("build", true));
  EXPECT_FALSE(rules.is_ignored("src/build", true));
  EXPECT_TRUE(rules.is_ignored("docs/a.pdf", false));
  EXPECT_FALSE(rules.is_ignored("docs/sub/a.pdf", false));
}

TEST(IgnoreRules, SlashAtTheEndMeansFoldersOnly) {
  const IgnoreRules rules("cache/");
  EXPECT_TRUE(rules.is_ignored("x/cache", true));
  EXPECT_FALSE(rules.is_ignored("x/cache", false));
}

TEST(IgnoreRules, LastMatchDecides) {
  const IgnoreRules rules("*.log\n!keep.log\n");
  EXPECT_TRUE(rules.is_ignored("a.log", false));
  EXPECT_FALSE(rules.is_ignored("keep.log", false));
}

TEST(IgnoreRules, StarsClassesAndEscapes) {
  EXPECT_TRUE(matches_pattern("**/x/*.o", "a/b/x/y.o"));
  EXPECT_TRUE(matches_pattern("a/**", "a/b/c"));
  EXPECT_FALSE(matches_pattern("*", "a/b"));
  EXPECT_TRUE(matches_pattern("f[0-9]?", "f3x"));
  EXPECT_FALSE(matches_pattern("f[!0-9]", "f3"));
  EXPECT_TRUE(matches_pattern("\\*", "*"));
  EXPECT_TRUE(matches_pattern("[", "["));
  EXPECT_FALSE(matches_pattern("?", "/"));
}

}  // namespace
}  // namespace clouddocs::client
