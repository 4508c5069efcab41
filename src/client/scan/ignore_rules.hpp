// SPDX-License-Identifier: AGPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace clouddocs::client {

// The rules of a .clouddocsignore file at the top of the synced folder. A documented subset of gitignore: one pattern per line, `#` comments,
// `*` and `?` within a name, `**` across folders, `[a-z]` classes, `/` at the start or inside anchors at the top, `/` at the end means folders
// only, `!` takes back. The last pattern that matches decides. Immutable.
class IgnoreRules {
 public:
  IgnoreRules() = default;
  explicit IgnoreRules(std::string_view text);
  // `path` is relative to the top, without a slash at the start.
  bool is_ignored(std::string_view path, bool is_folder) const;

 private:
  struct Rule {
    std::string pattern;
    bool is_negated = false;
    bool is_folder_only = false;
    bool is_anchored = false;
  };
  std::vector<Rule> rules_;
};

// Shell pattern match as described above.
bool matches_pattern(std::string_view pattern, std::string_view path);

}  // namespace clouddocs::client
