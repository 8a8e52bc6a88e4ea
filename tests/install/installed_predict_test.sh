#!/usr/bin/env bash
# libserval_predict, installed by itself, gives other people's programs the bits of `serval predict`.
#
#   tests/install/installed_predict_test.sh BUILD_FOLDER CORPUS     CORPUS: the demo corpus
set -euo pipefail
build="$(realpath "$1")" corpus="$2"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

"$here/make_bundle.sh" "$build/serval" "$corpus" "$scratch/made"
for component in predict predict_dev; do
  cmake --install "$build" --component "$component" --prefix "$scratch/prefix" >"$scratch/log" || { cat "$scratch/log" && exit 1; }
done
cd "$scratch/made"
for bundle in demo.bundle demo.serval; do
  "$here/predict_test.sh" "$scratch/prefix" "$bundle" expected.jsonl recordings/*
done
