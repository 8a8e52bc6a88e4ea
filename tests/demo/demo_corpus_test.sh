#!/usr/bin/env bash
# The demo corpus' maker: whole, the same every time, resumable, and clear about what it lacks.
#
#   tests/demo/demo_corpus_test.sh PROGRAM     PROGRAM: build/cpu/serval_demo_corpus
set -euo pipefail

maker="$(realpath "$1")"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
contents() { (cd "$1" && find . -type f | sort | xargs sha256sum); }
# refuses WHAT EXIT_CODE WORDS COMMAND...: the command must end so and say so.
refuses() {
  local what="$1" expected="$2" words="$3" got=0
  shift 3
  "$@" >"$scratch/said" 2>&1 || got=$?
  [[ "$got" == "$expected" ]] || fail "$what: exit code $got, not $expected: $(cat "$scratch/said")"
  grep -q -- "$words" "$scratch/said" || fail "$what: does not say '$words': $(cat "$scratch/said")"
}

# Stopped on the way: exit code 5, and the same command goes on to the same end.
"$maker" "$scratch/stopped" 2>"$scratch/log" &
pid=$!
until [[ -n "$(find "$scratch/stopped" -name '*.wav' -print -quit 2>/dev/null)" ]]; do sleep 0.05; done
kill -TERM "$pid"
got=0
wait "$pid" || got=$?
[[ "$got" == 5 ]] || fail "stopped by SIGTERM: exit code $got, not 5: $(cat "$scratch/log")"
made="$(find "$scratch/stopped" -name '*.wav' | wc -l)"
((made < 960)) || fail "nothing was left to do after the stop"
"$maker" "$scratch/stopped"

"$maker" "$scratch/whole"
count="$(find "$scratch/whole" -name '03-01-*.wav' | wc -l)"
[[ "$count" == 960 ]] || fail "$count recordings, not 960"
[[ "$(find "$scratch/whole" -type f | wc -l)" == 963 ]] || fail "other files than recordings, README.txt, delivery.csv and votes.csv"
for table in delivery votes; do
  [[ "$(wc -l <"$scratch/whole/$table.csv")" == 961 ]] || fail "$table.csv has not a line for each recording"
done
awk -F, 'NR > 1 { sum = 0; for (i = 2; i <= NF; ++i) sum += $i; if (sum != 5) exit 1 }' "$scratch/whole/votes.csv" ||
  fail "votes.csv: not five votes for each recording"
grep -q SYNTHETIC "$scratch/whole/README.txt" || fail "README.txt does not say SYNTHETIC"
[[ "$(contents "$scratch/whole")" == "$(contents "$scratch/stopped")" ]] || fail "two makes differ"

mkdir "$scratch/foreign" && touch "$scratch/foreign/thesis.doc"
refuses "another folder" 2 "holds other things" "$maker" "$scratch/foreign"
echo "of another make" >>"$scratch/whole/README.txt"
refuses "another make" 2 "another version" "$maker" "$scratch/whole"
refuses "no espeak-ng" 2 "tools/setup.sh" env PATH=/nonexistent "$maker" "$scratch/mute"
refuses "no folder named" 2 "folder" "$maker"
echo "passed: $made of 960 recordings before the stop"
