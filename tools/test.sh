# shellcheck shell=bash
# shellcheck disable=SC2154  # root, log_dir and their like are set by ./dev
# SPDX-License-Identifier: AGPL-3.0-or-later
# Runs the tests and counts them. Every runner writes JUnit XML into $reports; the counts come from there. Sourced by ./dev.

passed_total=0
failed_total=0

run_tests() {
  need_packages build test
  if (($# == 0)); then
    set -- src web tests e2e
    say "testing: $(present "$@" | tr '\n' ' ')"
  fi
  local what
  for what in "$@"; do
    case $what in
      src | web | tests | e2e) [[ -z $(present "$what") ]] || run_part "$what" "test_$what" ;;
      *[.*:]*) run_part "$what" test_filter "$what" ;;
      *) run_part "$what" test_folder "$what" ;;
    esac
  done
  finish_count
}

# Prints which of the named parts this checkout has.
present() {
  local part
  for part in "$@"; do
    case $part in
      src) [[ ! -d src ]] || echo src ;;
      web) [[ ! -d web ]] || echo web ;;
      tests) [[ ! -d tests ]] || echo tests ;;
      e2e) [[ ! -d web/e2e ]] || echo e2e ;;
    esac
  done
}

# Runs `$2...` and counts the tests it reported. A part that failed without saying so, or ran nothing, is a failure.
run_part() {
  local name=$1 status counts passed failed skipped
  shift
  reports=$report_root/${name//[^a-zA-Z0-9_-]/_}
  rm -rf "$reports"
  mkdir -p "$reports"
  say "test $name"
  set +e
  (
    set -e
    "$@"
  ) </dev/null
  status=$?
  set -e
  counts=$(count_junit "$reports")
  read -r passed failed skipped <<<"${counts:-0 0 0}"
  if ((failed == 0 && (status != 0 || passed == 0))); then
    failed=1
    say "$name: $( ((status != 0)) && echo "ended with status $status" || echo "no test ran"), counted as one failure"
  fi
  say "$name: $passed passed, $failed failed$( ((skipped == 0)) || echo ", $skipped skipped")"
  passed_total=$((passed_total + passed))
  failed_total=$((failed_total + failed))
}

finish_count() {
  echo "$passed_total passed, $failed_total failed"
  ((failed_total == 0))
}

# Prints "passed failed skipped" over the JUnit files in folder $1, and names what was skipped.
count_junit() {
  find "$1" -name '*.xml' -exec awk -f tools/count-junit.awk {} +
}

test_src() {
  build_preset dev
  sanitizer_environment
  local results=$reports.ctest status=0
  GTEST_OUTPUT="xml:$reports/" ctest --test-dir build/dev --parallel 2 --output-on-failure --no-tests=error \
    --output-junit "$results" || status=$?
  report_crashes "$results"
  return $status
}

sanitizer_environment() {
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
  export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-/usr/bin/llvm-symbolizer-19}
}

# A test program that crashed or timed out wrote no report: it counts as one failure.
report_crashes() {
  local name
  sed -n 's/.*<testcase name="\([^"]*\)".* status="fail".*/\1/p' "$1" | while read -r name; do
    grep -qs '<failure' "$reports/${name}_test.xml" ||
      printf '<testcase name="%s crashed"><failure/></testcase>\n' "$name" >"$reports/$name.crash.xml"
  done
}

# Runs the test programs of one folder: `storage` means src/features/storage.
test_folder() {
  local folder=${1#src/} target ran=0 status=0
  folder=${folder%/}
  configure_if_new dev
  for target in $(ninja -C build/dev -t targets all | sed -n 's|^bin/tests/\([^:]*test\):.*|\1|p'); do
    [[ $target == "${folder//\//_}_test" || $target == *"_${folder//\//_}_test" ]] || continue
    build_preset dev "$target"
    sanitizer_environment
    "build/dev/bin/tests/$target" --gtest_brief=1 --gtest_output="xml:$reports/" || status=$?
    ran=1
  done
  ((status == 0)) || return $status
  ((ran)) || die "There is no folder '$1' with tests. Those are: $(test_folders | tr '\n' ' ')"
}

test_filter() {
  local program status=0
  build_preset dev
  sanitizer_environment
  for program in build/dev/bin/tests/*test; do
    [[ -n $("$program" --gtest_list_tests --gtest_filter="$1" 2>/dev/null) ]] || continue
    "$program" --gtest_filter="$1" --gtest_output="xml:$reports/" || status=1
  done
  return $status
}

test_web() {
  need_node
  npm_install web
  (cd web && npm test --silent -- --reporter=default --reporter=junit --outputFile.junit="$reports/vitest.xml")
}

test_tests() {
  build_web
  build_preset release
  need_node
  npm_install tests
  export CLOUDDOCSD=$root/build/release/bin/clouddocsd CLOUDDOCS=$root/build/release/bin/clouddocs
  (cd tests && npm test --silent -- --reporter=default --reporter=junit --outputFile.junit="$reports/vitest.xml")
}

test_e2e() {
  build_web
  build_preset release
  need_node
  npm_install web
  need_browser
  export CLOUDDOCSD=$root/build/release/bin/clouddocsd CLOUDDOCS=$root/build/release/bin/clouddocs
  (cd web && PLAYWRIGHT_JUNIT_OUTPUT_FILE=$reports/playwright.xml npm run --silent e2e -- --reporter=list,junit)
}

# Debian packages Chromium; elsewhere Playwright fetches its own.
need_browser() {
  command -v chromium >/dev/null || (cd web && npx playwright install --with-deps chromium)
}

run_coverage() {
  need_packages build test
  [[ ! -d src ]] || coverage_of_src
  [[ ! -d web ]] || coverage_of_web
}

readonly coverage_wanted=85

coverage_of_src() {
  build_preset coverage
  local profiles=$root/build/coverage/profiles objects=() program lines
  rm -rf "$profiles"
  LLVM_PROFILE_FILE="$profiles/%p-%m.profraw" ctest --test-dir build/coverage --parallel 2 --output-on-failure --no-tests=error
  llvm-profdata-19 merge -sparse "$profiles"/*.profraw -o "$profiles/all.profdata"
  for program in build/coverage/bin/tests/* build/coverage/bin/clouddocs*; do
    [[ ! -x $program ]] || objects+=(-object "$program")
  done
  llvm-cov-19 report "${objects[@]:1}" -instr-profile="$profiles/all.profdata" \
    -ignore-filename-regex='(_[a-z0-9]*test|_contract|_benchmark)\.|/src/testing/|/build/|^/usr/' | tee build/coverage/report.txt
  lines=$(awk '$1 == "TOTAL" { sub("%", "", $10); print $10 }' build/coverage/report.txt)
  say "lines covered in src: $lines % (wanted: $coverage_wanted %)"
  awk -v have="$lines" -v want=$coverage_wanted 'BEGIN { exit !(have >= want) }' || die "Too little of src is covered."
}

# The web app's threshold stands in its Vitest configuration.
coverage_of_web() {
  need_node
  npm_install web
  npm run --prefix web coverage
}

test_folders() {
  ninja -C build/dev -t targets all | sed -n 's|^bin/tests/\([^:]*\)_[a-z0-9]*test:.*|\1|p' | sort
}

configure_if_new() {
  need_packages build test
  [[ -e build/$1/build.ninja ]] || configure "$1"
}
