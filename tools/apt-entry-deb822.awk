# SPDX-License-Identifier: AGPL-3.0-or-later
# Prints the URIs and Signed-By fields of the first stanza of a deb822 apt source whose Suites hold `suite`.
function finish() {
  if (!done && !disabled && (" " suites " ") ~ (" " suite "/? ")) { printf "%s", kept; done = 1 }
  kept = suites = field = ""; disabled = 0
}
/^#/ { next }
/^[ \t]*$/ { finish(); next }
/^[ \t]/ { if (field ~ /^(uris|signed-by)$/) kept = kept $0 "\n"; else if (field == "suites") suites = suites $0; next }
{
  field = tolower(substr($0, 1, index($0, ":") - 1))
  if (field ~ /^(uris|signed-by)$/) kept = kept $0 "\n"
  if (field == "suites") suites = substr($0, index($0, ":") + 1)
  if (field == "enabled" && tolower($2) == "no") disabled = 1
}
END { finish() }
