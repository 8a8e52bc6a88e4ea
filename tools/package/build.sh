#!/usr/bin/env bash
# Makes the packages of a build: Debian's, an archive, and a Python wheel.
#
#   tools/package/build.sh BUILD_FOLDER OUT     OUT: where they go
#
# For Debian's packages dpkg-shlibdeps is needed, for the wheel python3 and patchelf; what is lacking is said and left out.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

[[ $# == 2 && "$1" != -* ]] || { print_help && exit 2; }
mkdir -p "$2"
build="$(realpath "$1")" out="$(realpath "$2")"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

generators=TGZ
if command -v dpkg-shlibdeps >/dev/null; then generators="TGZ;DEB"; else say "no dpkg-shlibdeps: no Debian packages"; fi
cpack --config "$build/CPackConfig.cmake" -G "$generators" -B "$scratch" >"$scratch/log" 2>&1 || { cat "$scratch/log" && exit 1; }
mv "$scratch"/*.tar.gz "$out"
if [[ "$generators" == *DEB* ]]; then mv "$scratch"/*.deb "$out"; fi
if command -v patchelf >/dev/null && command -v python3 >/dev/null; then
  cmake --install "$build" --component program --prefix "$scratch/installed" >"$scratch/log" || { cat "$scratch/log" && exit 1; }
  python3 "$SERVAL_ROOT/tools/python/make_wheel.py" "$scratch/installed" "$out" >/dev/null
else
  say "no patchelf or python3: no wheel"
fi
ls -1 "$out"
