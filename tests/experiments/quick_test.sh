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
grep -q '"audit": "passed"' "$out/results.json" || fail "no audit"
# Who follows a paper to the letter says what leaks; whoever else leaks is found out by the audit.
leaks="$(sed -n '/"protocol"/,/}/p' "$out/experiment.json" | tr -d ' \n')"
if [[ "$file" == */literal*.json ]]; then
  [[ "$leaks" != *'"leaks":[]'* ]] || fail "a literal protocol that names no leak"
elif [[ "$file" == */honest*.json ]]; then
  [[ "$leaks" == *'"leaks":[]'* ]] || fail "an honest protocol that leaks"
fi
