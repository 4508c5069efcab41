# shellcheck shell=bash
# shellcheck disable=SC2154  # root, log_dir and their like are set by ./dev
# SPDX-License-Identifier: AGPL-3.0-or-later
# Builds the programs (CMake presets) and the web app. Sourced by ./dev.

build_preset() {
  local preset=$1
  need_packages build
  [[ $preset == release ]] || need_packages test
  if [[ ! -e build/$preset/build.ninja ]] || web_is_newer_than_configuration "$preset"; then configure "$preset"; fi
  cmake --build --preset "$preset" -j "$(job_count)" -- "${@:2}"
}

configure() {
  cmake --preset "$1" >"$log_dir/cmake-$1.log" 2>&1 && return
  tail -n 20 "$log_dir/cmake-$1.log" >&2
  die "cmake --preset $1 failed."
}

# The web app's file names change with their content, and CMake lists them when it configures.
web_is_newer_than_configuration() {
  [[ build/web.hash -nt build/$1/build.ninja ]]
}

# One compiler per processor, as far as there are 1.5 GB of memory for each.
job_count() {
  awk -v processors="$(nproc)" '/^MemTotal/ {
    fit = int($2 / 1500000); print (fit < 1 ? 1 : fit < processors ? fit : processors) }' /proc/meminfo
}

# Builds web/dist when anything it is made of has changed since.
build_web() {
  [[ -e web/package.json ]] || return 0
  local now
  now=$(web_hash)
  [[ -e web/dist/index.html && $(cat build/web.hash 2>/dev/null) == "$now" ]] && return
  need_packages build
  need_node
  npm_install web
  say "building the web app"
  npm run --silent --prefix web build >"$log_dir/web.log" 2>&1 || {
    tail -n 30 "$log_dir/web.log" >&2
    die "The web app does not build."
  }
  echo "$now" >build/web.hash
}

web_hash() {
  find web api \( -name node_modules -o -name dist -o -name coverage -o -name test-results -o -name playwright-report \) \
    -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
}
