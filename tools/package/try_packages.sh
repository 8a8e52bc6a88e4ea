#!/usr/bin/env bash
# Every package in a bare system of its own: it installs, the program runs, and its scores are those of this build.
#
#   tools/package/try_packages.sh BUILD_FOLDER CORPUS [deb|archive|wheel|container|source]...
#
# CORPUS: the demo corpus. `source` builds libserval_predict alone, without HDF5, and takes longest; without names all are
# tried. Needs root, debootstrap and the distribution's packages (exit code 77 where it cannot try anything).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

(($# >= 2)) && [[ "$1" != -* ]] || { print_help && exit 2; }
build="$(realpath "$1")" corpus="$(realpath "$2")"
shift 2
if (($# == 0)); then set -- deb archive wheel container source; fi
((EUID == 0)) && command -v debootstrap >/dev/null || { say "bare systems need root and debootstrap: nothing was tried" && exit 77; }

scratch="$(mktemp -d /var/tmp/serval-packages.XXXXXX)"
trap 'rm -rf --one-file-system "$scratch"' EXIT
"$SERVAL_ROOT/tests/install/make_bundle.sh" "$build/serval" "$corpus" "$scratch/made"
"$SERVAL_ROOT/tools/package/build.sh" "$build" "$scratch/packages"
# What the program needs of a system, as Debian's package of it says.
needs() { dpkg-deb -f "$(echo "$scratch"/packages/serval_*.deb)" Depends | sed 's/([^)]*)//g; s/,/ /g; s/|[^ ]*//g'; }

root() { # NAME PACKAGE...: a bare system with the bundle and the packages in it
  local name="$1"
  shift
  say "a bare system for: $name"
  "$SERVAL_ROOT/tools/package/bare_root.sh" "$scratch/$name" "$@"
  cp -r "$scratch/made" "$scratch/packages" "$scratch/$name/"
}
# /proc is there for the command alone: by it programs find where they are.
within() { # NAME COMMAND
  unshare --mount --propagation private bash -euc 'mount -t proc proc "$1/proc"; exec chroot "$1" /bin/bash -euc "$2"' - \
    "$scratch/$1" "export DEBIAN_FRONTEND=noninteractive; $2" >"$scratch/log" 2>&1 ||
    { tail -n 40 "$scratch/log" && die "FAILED in a bare system: $1: $2"; }
}
same_scores() { # NAME SERVAL
  within "$1" "$2 info && cd /made && for b in demo.bundle demo.serval; do $2 predict \$b recordings --format jsonl --quiet | cmp - expected.jsonl; done"
}
examples() { # NAME PREFIX
  mkdir -p "$scratch/$1/source/tests"
  cp -r "$SERVAL_ROOT/docs" "$scratch/$1/source/"
  cp -r "$SERVAL_ROOT/tests/install" "$scratch/$1/source/tests/"
  within "$1" "! ls /usr/lib/*/libhdf5* /usr/lib/*/libcuda* /usr/bin/python3* 2>/dev/null"
  within "$1" "cd /made && for b in demo.bundle demo.serval; do /source/tests/install/predict_test.sh $2 \$b expected.jsonl recordings/*; done"
}

try_deb() {
  root deb g++ cmake make pkg-config
  within deb "apt-get install --yes --no-install-recommends /packages/libserval-predict*.deb"
  examples deb /usr
  within deb "apt-get install --yes --no-install-recommends /packages/serval_*.deb"
  same_scores deb serval
  within deb "apt-get remove --yes serval 'libserval-predict*' && ! ls /usr/bin/serval /usr/share/serval 2>/dev/null"
}
try_archive() {
  read -ra packages <<<"$(needs)"
  root archive "${packages[@]}"
  within archive "mkdir /opt/serval && tar -C /opt/serval --strip-components 1 -xf /packages/serval-*.tar.gz"
  same_scores archive /opt/serval/bin/serval
}
try_wheel() {
  root wheel python3 python3-venv python3-pandas python3-h5py
  cp "$SERVAL_ROOT/tools/python/try_reader.py" "$scratch/wheel/"
  within wheel "python3 -m venv --system-site-packages /venv && /venv/bin/pip install --no-index /packages/serval-*.whl"
  same_scores wheel /venv/bin/serval
  within wheel "/venv/bin/python /try_reader.py /made"
}
# The steps of the container definitions, without an engine.
try_container() {
  root container
  cp "$SERVAL_ROOT/tools/containers/install.sh" "$scratch/container/"
  within container "/install.sh /packages"
  same_scores container serval
}
try_source() {
  root source g++ cmake make pkg-config libsndfile1-dev libsoxr-dev libxxhash-dev libkissfft-dev nlohmann-json3-dev libboost-dev
  mkdir -p "$scratch/source/serval"
  (cd "$SERVAL_ROOT" && tar -cf - CMakeLists.txt LICENSE cmake include src) | tar -C "$scratch/source/serval" -xf -
  within source "cmake -S /serval -B /build -DSERVAL_LIBRARY_ONLY=ON && cmake --build /build -j $(build_jobs) && cmake --install /build"
  examples source /usr/local
}
for what in "$@"; do
  "try_$what"
  say "$what: passed"
  rm -rf --one-file-system "${scratch:?}/$what"
done
