// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <algorithm>
#include <string_view>

namespace clouddocs::net {

// Text of protocols: ASCII only, independent of the locale.

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

// Without spaces and tabs around it.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the next member of a comma-separated list off `list`; empty members count.
constexpr std::string_view next_in_list(std::string_view& list) {
  const auto comma = list.find(',');
  const std::string_view member = trim(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return member;
}

constexpr bool list_contains(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    if (equal_ignoring_case(next_in_list(list), wanted)) return true;
  }
  return false;
}

}  // namespace clouddocs::net
