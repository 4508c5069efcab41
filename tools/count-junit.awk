# SPDX-License-Identifier: AGPL-3.0-or-later
# Prints "passed failed skipped" over JUnit files. One record per line would not do: a test case may span many.
{ text = text $0 "\n" }
END {
  n = split(text, parts, /<testcase /)
  for (i = 2; i <= n; i++) {
    part = parts[i]
    tag = substr(part, 1, index(part, ">"))
    if (tag !~ /\/>$/) { end = index(part, "</testcase>"); if (end) part = substr(part, 1, end) } else part = tag
    if (part ~ /<(failure|error)[ >\/]/) failed++
    else if (part ~ /<skipped/ || tag ~ /status="notrun"/) { skipped++; name = tag; sub(/.*name="/, "", name); sub(/".*/, "", name); print "skipped: " name > "/dev/stderr" }
    else passed++
  }
  print passed + 0, failed + 0, skipped + 0
}
