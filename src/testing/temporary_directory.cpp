// SPDX-License-Identifier: AGPL-3.0-or-later
#include "testing/temporary_directory.hpp"

#include <cstdlib>
#include <string>
#include <system_error>

namespace clouddocs::testing {

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "clouddocs-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;  // what cannot be removed is left to the system's own cleaning of /tmp
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace clouddocs::testing
