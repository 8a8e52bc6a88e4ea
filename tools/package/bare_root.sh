#!/usr/bin/env bash
# A bare Debian or Ubuntu in a folder, of the release that this machine runs, for trying packages as a stranger would.
#
#   tools/package/bare_root.sh FOLDER [PACKAGE...]
#
# FOLDER is made, and must not be there yet; `rm -rf --one-file-system` removes it. Nothing is mounted in it. The
# packages are installed there, without what they only recommend. Needs root and debootstrap (exit code 77
# without them). The bare system is kept in SERVAL_ROOTS (~/.cache/serval-roots), so that it is fetched once.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

(($# >= 1)) && [[ "$1" != -* ]] || { print_help && exit 2; }
folder="$1"
shift
[[ ! -e "$folder" ]] || die "$folder is there already" 2
((EUID == 0)) || { say "bare roots need root: not run" && exit 77; }
command -v debootstrap >/dev/null || { say "debootstrap is not installed: bare roots not run" && exit 77; }

source /etc/os-release
kept="${SERVAL_ROOTS:-$HOME/.cache/serval-roots}"
base="$kept/$ID-$VERSION_CODENAME-$(uname -m).tar"
# Where this machine gets the same release from.
source_of_release="$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
  awk -v release="$VERSION_CODENAME" '$1 == release { print $2; exit }')"
if [[ ! -e "$base" ]]; then
  mkdir -p "$kept"
  scratch="$(mktemp -d "$kept/making.XXXXXX")"
  trap 'rm -rf --one-file-system "$scratch"' EXIT
  say "a bare $VERSION_CODENAME, kept as $base"
  debootstrap --variant=minbase "$VERSION_CODENAME" "$scratch/root" ${source_of_release:+"$source_of_release"} >"$scratch/log" 2>&1 ||
    { tail -n 20 "$scratch/log" >&2 && die "debootstrap failed" 1; }
  rm -rf "$scratch"/root/var/cache/apt/archives/*.deb
  tar -C "$scratch/root" -cf "$scratch/base.tar" --exclude './dev/*' .
  mv "$scratch/base.tar" "$base"
fi
mkdir -p "$folder"
tar -C "$folder" -xf "$base"
# Programs expect these; real ones need a mount or mknod, which not every container allows.
mknod -m 666 "$folder/dev/null" c 1 3 2>/dev/null || : >"$folder/dev/null"
mknod -m 444 "$folder/dev/urandom" c 1 9 2>/dev/null || true
cp /etc/resolv.conf "$folder/etc/resolv.conf"
if (($# > 0)); then
  {
    chroot "$folder" apt-get -q -o Acquire::Retries=3 update || true
    chroot "$folder" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 install --yes --no-install-recommends "$@"
  } >"$folder/var/log/bare_root.log" 2>&1 || { tail -n 20 "$folder/var/log/bare_root.log" >&2 && die "apt-get failed in $folder" 1; }
fi
