#!/usr/bin/env bash
# An experiment file runs in its quick size, from nothing to its tables.
#
#   tests/experiments/quick_test.sh SERVAL CORPUS FOLDER FILE     FOLDER: where runs and stores go
set -euo pipefail

serval="$1" corpus="$2" folder="$3" file="$4"
name="$(basename "$(dirname "$file")")-$(basename "$file" .json)"
out="$folder/runs/$name"

fail() {
  echo "FAILED: $file: $*" >&2
  exit 1
}
rm -rf "$out"
mkdir -p "$folder"
cd "$folder"
export SERVAL_DEMO="$corpus" SERVAL_CORPORA="$corpus" FEATURES="$corpus"
"$serval" run "$file" --quick --device cpu --threads 2 --out "$out" --set store="\"$folder/stores\""
grep -q '"name": ".*-quick"' "$out/results.json" || fail "its name does not say that it is the quick size"
# Who follows a paper to the letter leaks by name, and stamps it; whoever is honest must pass.
verdict="$(sed -n 's/^  "audit": "\(.*\)",$/\1/p' "$out/results.json")"
case "$file" in
  */literal*.json) expected="leaks" ;;
  */honest*.json) expected="passed" ;;
  *) expected="passed leaks" ;;
esac
[[ -n "$verdict" && " $expected " == *" $verdict "* ]] || fail "the audit says '$verdict', not '$expected'"
