// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "features/access/plans.hpp"
#include "features/access/rate_limiter.hpp"

namespace clouddocs::app {

// Everything that can be set. A value comes from the first of: flag, environment (CLOUDDOCS_...), configuration file, default.
struct Config {
  std::filesystem::path data = "data";
  std::string listen = "127.0.0.1:8080";
  unsigned threads = 0;  // event loops; 0: one per core
  std::string log_level = "info";
  bool registration_open = true;
  std::string default_plan = "free";
  std::vector<std::string> trusted_proxies;
  std::vector<std::string> cors_origins;
  std::string tls_certificate;
  std::string tls_key;
  std::size_t max_connections = 20'000;
  int drain_seconds = 10;
  access::RateLimits rate_limits;
  std::map<std::string, access::Plan> plans = access::Plans::defaults();

  std::string address() const;
  std::uint16_t port() const;
};

// A setting as given, with where it came from, for messages.
struct Setting {
  std::string value;
  std::string source;
};
using Settings = std::map<std::string, Setting>;  // by dotted name, "rate_limits.anonymous_per_minute"

// The settings of a TOML file; those of the environment. Errors go into `errors`, one line each.
Settings read_file(const std::filesystem::path& path, std::vector<std::string>& errors);
Settings read_environment(const char* const* environment);

// Builds and checks the whole configuration; every error is reported at once.
Config make_config(const Settings& settings, std::vector<std::string>& errors);

}  // namespace clouddocs::app
