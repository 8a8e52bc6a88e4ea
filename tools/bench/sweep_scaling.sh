#!/usr/bin/env bash
# A sweep of 12 trials on one processor and on two, by turns.
#
#   tools/bench/sweep_scaling.sh SERVAL DEMO_CORPUS [ROUNDS]
#
# EPOCHS of training, 2 unless set. Prints the seconds of every sweep, and how many times as fast two processors are. The features are
# in the store beforehand, as after the first trial of any sweep.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
(($# >= 2)) || { print_help && exit 2; }
serval="$(realpath "$1")" rounds="${3:-5}"
SERVAL_DEMO="$(realpath "$2")"
export SERVAL_DEMO
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cat >"$folder/sweep.json" <<EOF
{
  "name": "scaling",
  "experiment": "$SERVAL_ROOT/experiments/demo_lstm.json",
  "set": ["store=\"$folder/stores\"", "train.epochs=${EPOCHS:-2}"],
  "axes": {
    "train.optimizer.learning_rate": { "values": [0.001, 0.003] },
    "train.batch_size": { "values": [16, 32] },
    "seeds.0": { "values": [1, 2, 3] }
  }
}
EOF
sweep() {
  local begin
  rm -rf "$folder/out"
  begin="$(date +%s%N)"
  "$serval" sweep "$folder/sweep.json" --out "$folder/out" --device cpu --threads "$1" --quiet >/dev/null 2>"$folder/said" ||
    die "$(tail -n 5 "$folder/said")" 1
  took_ms=$((($(date +%s%N) - begin) / 1000000))
}
sweep 2
for ((round = 1; round <= rounds; ++round)); do
  sweep 1 && one=$took_ms
  sweep 2 && two=$took_ms
  awk -v one="$one" -v two="$two" 'BEGIN { printf "one %.2f s, two %.2f s: %.3f times as fast\n", one / 1e3, two / 1e3, one / two }'
done
