#!/usr/bin/env bash
# Installs a build under a fresh prefix, builds a stranger's project against it, and runs what came out.
#
#   tests/install/install_test.sh BUILD_FOLDER
set -euo pipefail
build="$(realpath "$1")"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
prefix="$scratch/prefix"

cmake --install "$build" --prefix "$prefix" >"$scratch/install.log" || { cat "$scratch/install.log"; exit 1; }
for path in include/serval/core/context.h share/serval/corpora share/serval/experiments; do
  [[ -e "$prefix/$path" ]] || { echo "FAILED: $path is not installed"; exit 1; }
done

cmake -G Ninja -S "$here/consumer" -B "$scratch/consumer" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release
cmake --build "$scratch/consumer"
said="$("$scratch/consumer/consumer")"
echo "$said"
[[ "$said" == "uar 0.75, "* ]] || { echo "FAILED: the consumer should say 'uar 0.75, ...'"; exit 1; }

# The program runs from where it was installed. A build of some rooms alone has no program.
if [[ -x "$build/serval" ]]; then
  (cd "$scratch" && "$prefix/bin/serval" info)
fi
echo "passed"
