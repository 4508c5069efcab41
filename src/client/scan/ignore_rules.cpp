// SPDX-License-Identifier: AGPL-3.0-or-later
#include "client/scan/ignore_rules.hpp"

#include <algorithm>

namespace clouddocs::client {
namespace {

// Matches `[...]` at the front of the pattern against c; moves the pattern past it. No closing bracket: a plain '['.
bool matches_class(std::string_view& pattern, char c) {
  const auto close = pattern.find(']', 2);
  if (close == std::string_view::npos) {
    const bool same = c == '[';
    pattern.remove_prefix(1);
    return same;
  }
  auto inside = pattern.substr(1, close - 1);
  pattern.remove_prefix(close + 1);
  const bool is_negated = inside.front() == '!' || inside.front() == '^';
  if (is_negated) inside.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (i + 2 < inside.size() && inside[i + 1] == '-') {
      found = found || (inside[i] <= c && c <= inside[i + 2]);
      i += 2;
    } else {
      found = found || inside[i] == c;
    }
  }
  return found != is_negated;
}

// One step that is not a star; false: no match.
bool match_one(std::string_view& pattern, std::string_view& path) {
  if (path.empty()) return false;
  const char c = path.front();
  if (pattern.front() == '[') {
    if (c == '/' || !matches_class(pattern, c)) return false;
  } else {
    if (pattern.front() == '\\' && pattern.size() > 1) {
      pattern.remove_prefix(1);
      if (pattern.front() != c) return false;
    } else if (pattern.front() != c && (pattern.front() != '?' || c == '/')) {
      return false;
    }
    pattern.remove_prefix(1);
  }
  path.remove_prefix(1);
  return true;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    if (pattern.starts_with("**/")) {
      pattern.remove_prefix(3);
      if (matches_pattern(pattern, path)) return true;
      for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
        path.remove_prefix(slash + 1);
        if (matches_pattern(pattern, path)) return true;
      }
      return false;
    }
    if (pattern.front() == '*') {
      const bool crosses = pattern.starts_with("**");
      pattern.remove_prefix(crosses ? 2 : 1);
      while (true) {
        if (matches_pattern(pattern, path)) return true;
        if (path.empty() || (path.front() == '/' && !crosses)) return false;
        path.remove_prefix(1);
      }
    }
    if (!match_one(pattern, path)) return false;
  }
  return path.empty();
}

IgnoreRules::IgnoreRules(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    Rule rule;
    if (line.front() == '!') {
      rule.is_negated = true;
      line.remove_prefix(1);
    }
    if (!line.empty() && line.back() == '/') {
      rule.is_folder_only = true;
      line.remove_suffix(1);
    }
    rule.is_anchored = line.find('/') != std::string_view::npos;
    if (!line.empty() && line.front() == '/') line.remove_prefix(1);
    if (line.empty()) continue;
    rule.pattern = line;
    rules_.push_back(std::move(rule));
  }
}

bool IgnoreRules::is_ignored(std::string_view path, bool is_folder) const {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  bool ignored = false;
  for (const auto& rule : rules_) {
    if (rule.is_folder_only && !is_folder) continue;
    if (matches_pattern(rule.pattern, rule.is_anchored ? path : name)) ignored = !rule.is_negated;
  }
  return ignored;
}

}  // namespace clouddocs::client
