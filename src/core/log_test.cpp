// SPDX-License-Identifier: AGPL-3.0-or-later
#include "core/log.hpp"

#include <gtest/gtest.h>

namespace clouddocs::core {
namespace {

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { set_log_level(LogLevel::info); }
};

TEST_F(LogTest, ALineIsOneJsonObject) {
  ::testing::internal::CaptureStderr();
  log_warning("disk_slow", {{"path", "a \"quoted\"\nname"}, {"millis", 12}, {"retried", true}});
  const std::string line = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("level").as_string(), "warning");
  EXPECT_EQ(object.at("event").as_string(), "disk_slow");
  EXPECT_EQ(object.at("path").as_string(), "a \"quoted\"\nname");
  EXPECT_EQ(object.at("millis").as_int64(), 12);
  EXPECT_TRUE(object.at("retried").as_bool());
  const std::string time(object.at("time").as_string());
  EXPECT_EQ(time.size(), 24U);
  EXPECT_EQ(time.back(), 'Z');
}

TEST_F(LogTest, LinesBelowTheLevelAreDropped) {
  const auto lines_at = [](LogLevel level) {
    set_log_level(level);
    ::testing::internal::CaptureStderr();
    log_debug("a");
    log_info("b");
    log_warning("c");
    log_error("d");
    const std::string text = ::testing::internal::GetCapturedStderr();
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(lines_at(LogLevel::debug), 4);
  EXPECT_EQ(lines_at(LogLevel::info), 3);
  EXPECT_EQ(lines_at(LogLevel::warning), 2);
  EXPECT_EQ(lines_at(LogLevel::error), 1);
}

}  // namespace
}  // namespace clouddocs::core
