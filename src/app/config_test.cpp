// SPDX-License-Identifier: AGPL-3.0-or-later
#include "app/config.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "testing/temporary_directory.hpp"

namespace clouddocs::app {
namespace {

using Errors = std::vector<std::string>;

Settings set(std::initializer_list<std::pair<std::string, std::string>> values) {
  Settings settings;
  for (const auto& [name, value] : values) settings[name] = {value, "--" + name};
  return settings;
}

bool mentions(const Errors& errors, const std::string& text) {
  return std::any_of(errors.begin(), errors.end(),
                     [&](const auto& error) { return error.find(text) != std::string::npos; });
}

TEST(Config, DefaultsAreValid) {
  Errors errors;
  const Config config = make_config({}, errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(config.address(), "127.0.0.1");
  EXPECT_EQ(config.port(), 8080);
  EXPECT_EQ(config.rate_limits.anonymous_per_minute, 100);
  EXPECT_EQ(config.plans.size(), 3U);
}

TEST(Config, EveryErrorIsReportedAtOnce) {
  Errors errors;
  make_config(set({{"listen", "nowhere"},
                   {"threads", "many"},
                   {"registration_open", "perhaps"},
                   {"rate_limits.failed_logins", "0"},
                   {"default_plan", "gold"},
                   {"log_level", "loud"},
                   {"tls_certificate", "/no/such/file"},
                   {"plans.tiny.storage", "1X"},
                   {"plans.tiny.colour", "5"},
                   {"plans.tiny.devices", "1G"},
                   {"plans.tiny.trash_days", "100000"},
                   {"plans.short", "5"},
                   {"colour", "red"}}),
              errors);
  for (const std::string part :
       {"listen must be", "threads must be", "registration_open must be", "rate_limits.failed_logins must be",
        "default_plan names", "log_level must be", "given together", "there is no file /no/such/file",
        "plans.tiny.storage must be", "plans.tiny.colour is not", "plans.tiny.devices must be a number of devices",
        "plans.tiny.trash_days must be a number of days", "plans.short must be", "no setting named \"colour\"",
        "plan \"tiny\" needs"}) {
    EXPECT_TRUE(mentions(errors, part)) << part;
  }
}

TEST(Config, ListenIsAddressAndPort) {
  struct Case {
    std::string text;
    std::string address;
    int port;  // -1: refused
  };
  const std::vector<Case> cases{{"0.0.0.0:80", "0.0.0.0", 80},
                                {"[::]:8080", "::", 8080},
                                {"localhost:0", "localhost", 0},
                                {"1.2.3.4:65535", "1.2.3.4", 65'535},
                                {"1.2.3.4:65536", "", -1},
                                {"1.2.3.4:", "", -1},
                                {":80", "", -1},
                                {"80", "", -1},
                                {"a:b", "", -1},
                                {"1.2.3.4:999999999999", "", -1}};
  for (const auto& expected : cases) {
    Errors errors;
    const Config config = make_config(set({{"listen", expected.text}}), errors);
    EXPECT_EQ(errors.empty(), expected.port >= 0) << expected.text;
    if (errors.empty()) {
      EXPECT_EQ(config.address(), expected.address);
      EXPECT_EQ(config.port(), expected.port);
    }
  }
}

TEST(Config, SizesHaveUnits) {
  Errors errors;
  const Config config = make_config(set({{"plans.a.storage", "2T"},
                                         {"plans.a.max_file_size", "500M"},
                                         {"plans.a.devices", "7"},
                                         {"plans.a.history_days", "3"},
                                         {"plans.a.trash_days", "4"},
                                         {"plans.free.storage", "10K"},
                                         {"plans.free.max_file_size", "100"}}),
                                    errors);
  EXPECT_TRUE(errors.empty());
  const auto& plan = config.plans.at("a");
  EXPECT_EQ(plan.storage, 2LL << 40);
  EXPECT_EQ(plan.max_file_size, 500 << 20);
  EXPECT_EQ(plan.devices, 7);
  EXPECT_EQ(plan.history, std::chrono::days(3));
  EXPECT_EQ(plan.trash, std::chrono::days(4));
  EXPECT_EQ(config.plans.at("free").storage, 10 << 10);
  EXPECT_EQ(config.plans.at("free").max_file_size, 100);
}

TEST(Config, ListsAreSeparatedByCommas) {
  Errors errors;
  const Config config = make_config(set({{"trusted_proxies", "10.0.0.0/8, ::1 ,"}, {"cors_origins", ""}}), errors);
  EXPECT_EQ(config.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
  EXPECT_TRUE(config.cors_origins.empty());
}

TEST(Config, AFileIsFlattenedWithItsName) {
  const testing::TemporaryDirectory folder;
  const auto path = folder.path() / "clouddocs.toml";
  std::ofstream(path)
      << "listen = \"[::1]:99\"\nregistration_open = false\ntrusted_proxies = [\"10.0.0.1\", \"10.0.0.2\"]\n"
         "[rate_limits]\nanonymous_per_minute = 7\n[plans.free]\nstorage = \"1G\"\n";
  Errors errors;
  const Settings settings = read_file(path, errors);
  const Config config = make_config(settings, errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(config.port(), 99);
  EXPECT_FALSE(config.registration_open);
  EXPECT_EQ(config.trusted_proxies.size(), 2U);
  EXPECT_EQ(config.rate_limits.anonymous_per_minute, 7);
  EXPECT_EQ(config.plans.at("free").storage, 1 << 30);
  EXPECT_EQ(settings.at("listen").source, path.string());
}

TEST(Config, ABrokenOrMissingFileIsAnError) {
  const testing::TemporaryDirectory folder;
  const auto path = folder.path() / "clouddocs.toml";
  std::ofstream(path) << "listen = \n";
  Errors errors;
  read_file(path, errors);
  EXPECT_TRUE(mentions(errors, "line 1"));
  read_file(folder.path() / "absent.toml", errors);
  EXPECT_EQ(errors.size(), 2U);
}

TEST(Config, TheEnvironmentNamesSettingsInCapitals) {
  const std::array<const char*, 7> environment{"PATH=/bin",
                                               "CLOUDDOCS_LISTEN=0.0.0.0:1",
                                               "CLOUDDOCS_RATE_LIMITS__FAILED_LOGINS=9",
                                               "CLOUDDOCS_PLANS__FREE__DEVICES=2",
                                               "CLOUDDOCS_HOME=/of/the/client",
                                               "CLOUDDOCS_BROKEN",
                                               nullptr};
  const Settings settings = read_environment(environment.data());
  EXPECT_EQ(settings.size(), 3U);
  EXPECT_EQ(settings.at("listen").source, "CLOUDDOCS_LISTEN");
  Errors errors;
  const Config config = make_config(settings, errors);
  EXPECT_EQ(config.rate_limits.failed_logins, 9);
  EXPECT_EQ(config.plans.at("free").devices, 2);
  EXPECT_TRUE(read_environment(nullptr).empty());
}

}  // namespace
}  // namespace clouddocs::app
