#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Runs a command on a clone of this checkout in a fresh, minimal Debian 12 (debootstrap, git and bash alone), to prove
# that ./dev brings everything else. Only what is committed takes part. Needs root and debootstrap.
#
# usage: tools/clean-debian.sh [--keep] COMMAND       e.g. tools/clean-debian.sh './dev test'
# The bare system and the downloaded packages are kept in CLOUDDOCS_CLEAN_CACHE (default /var/tmp/clouddocs-clean) to
# make the next run quick; --keep leaves the system of this run there too, for a look.
set -euo pipefail

die() { echo "error: $*" >&2; exit 1; }

keep=
if [[ ${1:-} == --keep ]]; then
  keep=1
  shift
fi
(($# == 1)) || die "usage: tools/clean-debian.sh [--keep] COMMAND"
((EUID == 0)) || die "this needs root (chroot, mount)"
command -v debootstrap >/dev/null || die "this needs debootstrap: apt-get install debootstrap"

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${CLOUDDOCS_CLEAN_CACHE:-/var/tmp/clouddocs-clean}
base=$cache/bookworm.tar
mkdir -p "$cache/apt"
system=$(mktemp -d "$cache/system.XXXXXX")

# shellcheck disable=SC2317  # run by the trap
cleanup() {
  local mounted
  for mounted in var/cache/apt/archives dev sys proc; do
    if mountpoint -q "$system/$mounted"; then umount "$system/$mounted" || umount -l "$system/$mounted"; fi
  done
  if [[ -n $keep ]]; then
    echo "kept: $system" >&2
  else
    rm -rf --one-file-system "$system"
  fi
}
trap cleanup EXIT

mirror() {
  awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources 2>/dev/null | grep . ||
    awk '$1 == "deb" { print $2; exit }' /etc/apt/sources.list 2>/dev/null | grep . || true
}

make_base() {
  [[ -e $base ]] && return
  local from
  from=$(mirror)  # none found: debootstrap's own default
  debootstrap --variant=minbase --include=git,ca-certificates bookworm "$system" ${from:+"$from"} >"$cache/debootstrap.log"
  tar -C "$system" -cf "$base.new" .
  mv "$base.new" "$base"
  find "$system" -mindepth 1 -delete
}

# The fresh system reaches the network as this one does: resolver, apt's mirror and clock settings, certificates and npm's registry.
# Backports are left out, for ./dev has to add them.
give_network() {
  local file
  cp /etc/resolv.conf "$system/etc/"
  rm -f "$system/etc/apt/sources.list"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
    [[ ! -s $file ]] || grep -q -e backports -e docker -e nodesource "$file" || cp --parents "$file" "$system/"
  done
  apt-config dump Acquire | grep -v '""' >"$system/etc/apt/apt.conf.d/90host" || true
  if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
    cp /usr/local/share/ca-certificates/*.crt "$system/usr/local/share/ca-certificates/"
    chroot "$system" update-ca-certificates >/dev/null 2>&1
  fi
  if command -v npm >/dev/null; then
    echo "registry=$(npm config get registry 2>/dev/null)" >"$system/root/.npmrc"
  fi
}

mount_system() {
  mount -t proc proc "$system/proc"
  mount -t sysfs sysfs "$system/sys"
  mount --bind /dev "$system/dev"
  mount --bind "$cache/apt" "$system/var/cache/apt/archives"
}

[[ -e $base ]] || make_base
tar -C "$system" -xf "$base"
chmod 755 "$system"
give_network
mount_system
# Debian's container images drop downloaded packages; here they are what makes the next run quick.
echo 'APT::Keep-Downloaded-Packages "true";' >"$system/etc/apt/apt.conf.d/91keep"
git clone --quiet --no-hardlinks "$checkout" "$system/root/clouddocs"
echo "== fresh Debian $(cat "$system/etc/debian_version"), $(chroot "$system" dpkg-query -f . -W | wc -c) packages: $1" >&2
start=$EPOCHSECONDS status=0
chroot "$system" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  TERM=dumb bash -c "cd /root/clouddocs && $1" </dev/null || status=$?
echo "== ended with status $status after $((EPOCHSECONDS - start)) s" >&2
exit $status
