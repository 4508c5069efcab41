// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace clouddocs::access {

// What a plan allows. Sizes in bytes.
struct Plan {
  std::int64_t storage = 0;
  std::int64_t max_file_size = 0;
  int devices = 0;  // sessions at the same time
  std::chrono::days history{};
  std::chrono::days trash{};
};

// Plans by name. An unknown name (a plan taken out of the configuration) gets the limits of "free".
class Plans {
 public:
  explicit Plans(std::map<std::string, Plan> plans) : plans_(std::move(plans)) {}
  const Plan& get(const std::string& name) const {
    const auto found = plans_.find(name);
    return found == plans_.end() ? plans_.at("free") : found->second;
  }
  bool has(const std::string& name) const { return plans_.contains(name); }
  const std::map<std::string, Plan>& all() const { return plans_; }

  // free, pro and business as shipped.
  static std::map<std::string, Plan> defaults() {
    constexpr std::int64_t gib = 1LL << 30;
    using std::chrono::days;
    return {{"free", {10 * gib, 5 * gib, 10, days(30), days(30)}},
            {"pro", {2048 * gib, 100 * gib, 50, days(180), days(90)}},
            {"business", {16384 * gib, 1024 * gib, 500, days(365), days(180)}}};
  }

 private:
  std::map<std::string, Plan> plans_;
};

}  // namespace clouddocs::access
