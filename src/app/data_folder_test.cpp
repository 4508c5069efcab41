// SPDX-License-Identifier: AGPL-3.0-or-later
#include "app/data_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "testing/temporary_directory.hpp"

namespace clouddocs::app {
namespace {

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 0777U;
}

class DataFolderTest : public ::testing::Test {
 protected:
  std::string refusal() {
    try {
      DataFolder(path_).secrets();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }
  void write_keys(const std::string& text) {
    std::ofstream(path_ / "keys.json") << text;
    ::chmod((path_ / "keys.json").c_str(), 0600);
  }
  const testing::TemporaryDirectory parent_;
  const std::filesystem::path path_ = parent_.path() / "data" / "deep";
};

TEST_F(DataFolderTest, IsMadeForTheOwnersEyesOnly) {
  const DataFolder folder(path_);
  EXPECT_EQ(mode_of(path_), 0700U);
  EXPECT_TRUE(std::filesystem::is_directory(folder.blobs()));
  folder.secrets();
  EXPECT_EQ(mode_of(path_ / "keys.json"), 0600U);
}

TEST_F(DataFolderTest, SecretsAreMadeOnceAndKept) {
  const auto first = DataFolder(path_).secrets();
  const auto second = DataFolder(path_).secrets();
  EXPECT_EQ(first.master, second.master);
  EXPECT_EQ(first.access_tokens.keys, second.access_tokens.keys);
  EXPECT_EQ(first.master.size(), 32U);
  EXPECT_NE(first.master, first.access_tokens.keys.at(first.access_tokens.current));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) files += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, 1U) << "no temporary file is left";
}

TEST_F(DataFolderTest, KeysThatOthersCanReadAreRefused) {
  DataFolder(path_).secrets();
  for (const mode_t mode : {0640, 0604, 0666}) {
    ::chmod((path_ / "keys.json").c_str(), mode);
    EXPECT_NE(refusal().find("chmod 600"), std::string::npos);
  }
}

TEST_F(DataFolderTest, BrokenKeysAreNotReplaced) {
  const DataFolder folder(path_);
  for (const std::string text : {"", "{}", "[]", R"({"current":"k2","access_token_keys":{},"master":"x"})",
                                 R"({"current":"k1","access_token_keys":{"k1":"AAAA"},"master":"AAAA"})"}) {
    write_keys(text);
    EXPECT_NE(refusal().find("Restore it from a backup"), std::string::npos) << text;
  }
  const std::string key(43, 'A');
  write_keys(R"({"current":"k2","access_token_keys":{"k1":")" + key + R"("},"master":")" + key + "\"}");
  EXPECT_NE(refusal().find("no current key"), std::string::npos);
}

TEST_F(DataFolderTest, WhatIsNoFolderIsRefused) {
  std::filesystem::create_directories(path_.parent_path());
  std::ofstream(path_) << "a file";
  EXPECT_NE(refusal().find("Cannot use"), std::string::npos);
}

}  // namespace
}  // namespace clouddocs::app
