// SPDX-License-Identifier: AGPL-3.0-or-later
#include "options.hpp"

#include <stdexcept>

namespace bench {

Options::Options(int argc, char** argv, int first) {
  for (int i = first; i < argc; i += 2) {
    const std::string_view name(argv[i]);
    if (!name.starts_with("--") || i + 1 == argc)
      throw std::runtime_error("expected --name value: " + std::string(name));
    values_[std::string(name.substr(2))].emplace_back(argv[i + 1]);
  }
}

std::string Options::text(const std::string& name, std::string_view otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string(otherwise) : found->second.back();
}

std::uint64_t Options::number(const std::string& name, std::uint64_t otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : std::stoull(found->second.back());
}

const std::vector<std::string>& Options::all(const std::string& name) const {
  static const std::vector<std::string> none;
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second;
}

}  // namespace bench
