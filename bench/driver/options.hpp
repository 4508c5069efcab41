// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The arguments `--name value` of the command line; a name may be repeated.
class Options {
 public:
  Options(int argc, char** argv, int first);

  std::string text(const std::string& name, std::string_view otherwise = {}) const;
  std::uint64_t number(const std::string& name, std::uint64_t otherwise) const;
  std::uint16_t port() const { return static_cast<std::uint16_t>(number("port", 0)); }
  const std::vector<std::string>& all(const std::string& name) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

}  // namespace bench
