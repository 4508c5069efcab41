# shellcheck shell=bash
# shellcheck disable=SC2154  # root, log_dir and their like are set by ./dev
# SPDX-License-Identifier: AGPL-3.0-or-later
# Checks that need no running program. Each counts as one in the last line. Sourced by ./dev.

run_lint() {
  need_packages build test lint
  check "C++ format" lint_format
  check "layers" python3 tools/check_layers.py
  check "shell scripts" lint_shell
  [[ ! -d src ]] || check "clang-tidy" lint_tidy
  [[ ! -d web ]] || check "web lint and types" lint_web
  [[ ! -d tests ]] || check "black box tests: types" lint_black_box
  check "known vulnerabilities: npm" audit_npm
  check "known vulnerabilities: system libraries" audit_system
  report_sizes
  finish_count
}

# Runs `$2...`; prints one line when it passes and what it said when it fails.
check() {
  local name=$1 out=$log_dir/check.log status start=$EPOCHSECONDS
  shift
  set +e
  (
    set -e
    "$@"
  ) >"$out" 2>&1 </dev/null
  status=$?
  set -e
  if ((status == 0)); then
    passed_total=$((passed_total + 1))
    say "$name: passed ($((EPOCHSECONDS - start)) s)"
    grep '^note:' "$out" || true
  else
    failed_total=$((failed_total + 1))
    say "$name: FAILED ($((EPOCHSECONDS - start)) s)"
    cat "$out"
  fi
}

cpp_sources() {
  find src bench -type f \( -name '*.cpp' -o -name '*.hpp' \) -print0 2>/dev/null || true
}

shell_scripts() {
  local file
  find dev .ci tools tests bench deploy -name node_modules -prune -o -type f -print 2>/dev/null | while read -r file; do
    case $(head -c 64 "$file" | tr -d '\0' | head -n 1) in
      '#!'*sh | '# shellcheck shell=bash') echo "$file" ;;
    esac
  done || true
}

lint_format() {
  local found
  found=$(cpp_sources | xargs -0 -r clang-format-19 --dry-run 2>&1 | sed -n 's/^\([^ :]*\):[0-9:]* warning: .*/\1/p' | sort -u)
  [[ -z $found ]] || { echo "$found"; echo "./dev format rewrites them."; return 1; }
}

lint_shell() {
  local scripts
  mapfile -t scripts < <(shell_scripts)
  shellcheck "${scripts[@]}"
}

# The units are checked as the dev preset compiles them, precompiled header included; so that one is built first.
lint_tidy() {
  build_preset dev
  python3 tools/tidy.py build/dev "$(job_count)"
}

lint_web() {
  need_node
  npm_install web
  npm run --silent --prefix web lint
  npm run --silent --prefix web typecheck
}

lint_black_box() {
  need_node
  npm_install tests
  npm run --silent --prefix tests typecheck
}

# Fails on known vulnerabilities that have a fix; says so when the registry gives no answer.
audit_npm() {
  local folder status=0
  need_node
  for folder in web tests tools/node bench/node_ws; do
    [[ -e $folder/package-lock.json ]] || continue
    (cd "$folder" && npm audit --json 2>/dev/null || true) | node tools/read-audit.mjs "$folder" || status=1
  done
  return $status
}

# Fails when a library that the programs load, or a package they are built from, has a vulnerability that the system's
# security updates fix.
audit_system() {
  local ours findings
  [[ $(system_id) == debian ]] || { echo "note: debsecan knows Debian only"; return; }
  ours=$({ packages_of build; libraries_loaded; } | sort -u)
  if ! findings=$(debsecan --suite "$(codename)" --only-fixed 2>/dev/null); then
    echo "note: debsecan's data is not reachable: not checked"
    return
  fi
  findings=$(awk -v ours="$ours" 'BEGIN { n = split(ours, names); for (i = 1; i <= n; i++) have[names[i]] }
    $2 in have' <<<"$findings")
  [[ -z $findings ]] || { echo "Fixed in the system's updates (apt-get upgrade):"; echo "$findings"; return 1; }
}

# Prints the packages of the shared libraries that the release programs load.
libraries_loaded() {
  local program
  for program in build/release/bin/clouddocsd build/release/bin/clouddocs; do
    [[ ! -x $program ]] || ldd "$program" | awk '$3 ~ "^/" { print $3 }' | xargs -r realpath | xargs -r dpkg -S 2>/dev/null |
      cut -d: -f1
  done || true
}

# The aim is 500 lines a file. Above it is not an error; it is said.
report_sizes() {
  cpp_sources | xargs -0 -r wc -l | awk '$2 != "total" { files++; lines += $1; if ($1 > 500) print "  " $1 " lines: " $2 }
    END { if (files) printf "  %d C++ files, %d lines on average; those above 500 are listed\n", files, lines / files }' >&2
}

format_sources() {
  need_packages build test lint
  cpp_sources | xargs -0 -r clang-format-19 -i
  [[ -d web ]] || return 0
  need_node
  npm_install web
  npm run --silent --prefix web format --if-present
}
