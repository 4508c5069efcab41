// SPDX-License-Identifier: AGPL-3.0-or-later
#include "features/storage/name.hpp"

#include <gtest/gtest.h>

#include "core/encoding.hpp"

namespace clouddocs::storage {
namespace {

using core::Errc;

TEST(Name, OrdinaryNamesAreTakenAsTheyAre) {
  for (const std::string name :
       {"a", "report.pdf", " spaces ", "...", ".hidden", "con", "a:b*c?.txt", "\u65e5\u672c\u8a9e", "\U0001F600"}) {
    const auto normal = normalise_name(name);
    ASSERT_TRUE(normal.has_value()) << name;
    EXPECT_EQ(normal.value(), name);
  }
}

TEST(Name, IsKeptInNormalFormC) {
  EXPECT_EQ(normalise_name("A\u030angstro\u0308m").value(), "\u00c5ngstr\u00f6m");
  EXPECT_EQ(normalise_name("\u1100\u1161").value(), "\uac00") << "Hangul composes";
  EXPECT_EQ(normalise_name("\u212b").value(), "\u00c5") << "the Angstrom sign is the letter";
  EXPECT_EQ(normalise_name("\ufb01").value(), "\ufb01") << "no compatibility mapping: names that differ stay apart";
}

TEST(Name, EveryInvalidNameIsRefusedWithItsRule) {
  struct Case {
    std::string name;
    std::string rule;
  };
  const std::vector<Case> cases{{"", "empty"},
                                {".", "cannot be names"},
                                {"..", "cannot be names"},
                                {"a/b", "\"/\""},
                                {"/", "\"/\""},
                                {std::string("a\0b", 3), "control"},
                                {"a\nb", "control"},
                                {"\x1f", "control"},
                                {"a\x7f", "control"},
                                {"a\xff", "UTF-8"},
                                {"\xc0\xaf", "UTF-8"},
                                {"\xed\xa0\x80", "UTF-8"},
                                {std::string(256, 'x'), "255 bytes"},
                                {std::string(3'000, 'x'), "255 bytes"}};
  for (const auto& [name, rule] : cases) {
    const auto refused = normalise_name(name);
    ASSERT_TRUE(refused.has_error()) << name;
    EXPECT_EQ(refused.error().code, Errc::invalid_name);
    EXPECT_NE(refused.error().detail.find(rule), std::string::npos) << refused.error().detail;
  }
  EXPECT_TRUE(normalise_name(std::string(255, 'x')).has_value());
}

TEST(Name, TheLengthCountsAfterNormalisation) {
  std::string decomposed;  // 3 bytes each, 2 when composed
  for (int i = 0; i < 127; ++i) decomposed += "e\u0301";
  EXPECT_EQ(normalise_name(decomposed).value().size(), 254U);
  EXPECT_TRUE(normalise_name(decomposed + "e\u0301").has_error());
}

TEST(Name, TheKeyFoldsCaseAndForm) {
  EXPECT_EQ(name_key("README.Txt"), "readme.txt");
  EXPECT_EQ(name_key("STRASSE"), name_key("stra\u00dfe"));
  EXPECT_EQ(name_key("\u0416"), name_key("\u0436"));
  EXPECT_EQ(name_key("\ufb01le"), "file");
  EXPECT_NE(name_key("a"), name_key("b"));
}

TEST(Name, NumbersGoBeforeTheExtension) {
  EXPECT_EQ(numbered_name("report.pdf", 2), "report (2).pdf");
  EXPECT_EQ(numbered_name("report", 10), "report (10)");
  EXPECT_EQ(numbered_name(".bashrc", 2), ".bashrc (2)");
  EXPECT_EQ(numbered_name("archive.tar.gz", 2), "archive.tar (2).gz");
  EXPECT_EQ(numbered_name("Mr. A long sentence without end", 2), "Mr. A long sentence without end (2)");
}

TEST(Name, ANumberedNameStaysWithinTheLimitAndCutsNoCharacter) {
  std::string name;
  while (name.size() < 250) name += "\u0436";
  name += ".txt";
  const auto numbered = numbered_name(name, 999);
  EXPECT_LE(numbered.size(), max_name_bytes);
  EXPECT_TRUE(numbered.ends_with(" (999).txt"));
  EXPECT_TRUE(core::is_utf8(numbered));
}

TEST(Name, TheExtensionSuggestsTheType) {
  EXPECT_EQ(guess_mime("a.TXT"), "text/plain");
  EXPECT_EQ(guess_mime("a.b.zip"), "application/zip");
  EXPECT_EQ(guess_mime("a"), "application/octet-stream");
  EXPECT_EQ(guess_mime("a.unknown"), "application/octet-stream");
  EXPECT_EQ(guess_mime("a."), "application/octet-stream");
}

}  // namespace
}  // namespace clouddocs::storage
