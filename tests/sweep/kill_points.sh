#!/usr/bin/env bash
# A worker killed (SIGKILL) as it is about to synchronise, rename or link its n-th file, for every n in turn, and started
# again: the leaderboard is that of a sweep that nobody disturbed, byte for byte, and no trial was finished twice.
#
#   tests/sweep/kill_points.sh SERVAL DEMO_CORPUS POINTS
#
# Ends with code 77, which ctest counts as skipped, without strace or where it may not trace.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
points="$3"
need_strace
enter_folder kills
fail() {
  echo "FAILED: $*" >&2
  "$serval" sweep status sweep >&2 || true
  exit 1
}

cat >s.json <<'EOF'
{
  "name": "s",
  "experiment": "x.json",
  "set": ["train.checkpoint_every_s=0"],
  "axes": { "train.optimizer.learning_rate": { "values": [0.003, 0.03] } },
  "pack": 2,
  "most_crashes": 1000
}
EOF
"$serval" sweep s.json --out whole --device cpu --workers 1 --threads 1 --quiet >/dev/null

# The plan without anything done; a chain of kills begins with it.
fresh() {
  rm -rf sweep stores
  mkdir -p sweep/trials sweep/runs
  cp whole/plan.jsonl whole/batch-000.jsonl whole/sweep.json sweep
}
stage_of() {
  case "$1" in
    *leaderboard* | *selected.json*) echo collect ;;
    */stores/*) echo features ;;
    */models/*) echo training ;;
    */runs/*) echo evaluation ;;
    *) echo bookkeeping ;;
  esac
}
declare -A killed=()
kills=0
# killed_at N COMMAND...: whether it was killed at its N-th such call, rather than done.
killed_at() {
  local at="$1" code=0
  shift
  # The outer redirection takes what the shell says of a killed process.
  {
    strace -qq -y -o trace -e trace=fsync,rename,link -e "inject=fsync,rename,link:signal=KILL:when=$at" "$@" \
      >/dev/null 2>errors || code=$?
  } 2>/dev/null
  if ((code == 0)); then return 1; fi
  if ((code != 137)); then fail "ended with code $code instead of SIGKILL: $(cat errors)"; fi
  local stage
  stage="$(stage_of "$(grep -E '^(fsync|rename|link)' trace | tail -n 1)")"
  killed[$stage]=$((${killed[$stage]:-0} + 1))
  kills=$((kills + 1))
}

# Each chain begins one call later than the one before; each start of it is let 20 calls further, so that it gets to its end.
chains=0
for ((first = 1; kills < points; ++first)); do
  fresh
  for ((at = first; ; at += 20)); do
    killed_at "$at" "$serval" sweep work sweep --device cpu --threads 1 --quiet || break
  done
  for at in $((1 + first % 8)) $((1 + (first + 3) % 8)); do
    killed_at "$at" "$serval" sweep collect sweep || true
  done
  "$serval" sweep collect sweep >/dev/null
  for file in leaderboard.txt leaderboard.csv leaderboard.json selected.json; do
    cmp "sweep/$file" "whole/$file" || fail "$file differs after the chain from call $first on"
  done
  twice="$(cat sweep/journal/*.jsonl | grep -ao '"event": "finished","trial": "[0-9a-f]*"' | sort | uniq -d)"
  if [[ -n "$twice" ]]; then fail "finished twice: $twice"; fi
  chains=$((chains + 1))
done
for stage in features training evaluation bookkeeping collect; do
  echo "$stage: ${killed[$stage]:-0} kills"
done
echo "$kills kills in $chains chains, always the same leaderboard"
