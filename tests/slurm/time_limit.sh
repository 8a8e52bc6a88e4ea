#!/usr/bin/env bash
# Trials that are longer than their jobs may be: each job gets SIGUSR1 before its time limit, leaves its trial at the last epoch and is
# queued again by itself, until the leaderboard is that of the same sweep run here, byte for byte.
#
#   tests/slurm/time_limit.sh SERVAL DEMO_CORPUS
#
# Takes about ten minutes, most of them waiting: Slurm starts a job that was queued again two minutes later. Ends with code 77, which
# ctest counts as skipped, where Slurm cannot run.
set -euo pipefail
serval="$(realpath "$1")" demo="$(realpath "$2")"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cluster="$root/tools/slurm-test-cluster.sh"
problem="$("$cluster" why-not)"
if [[ -n "$problem" ]]; then
  echo "skipped: $problem"
  exit 77
fi

folder="$(mktemp -d /tmp/serval-slurm-XXXXXX)"
chmod 755 "$folder"
finish() {
  "$cluster" stop "$folder/cluster" || true
  rm -rf "$folder"
}
trap finish EXIT
fail() {
  echo "FAILED: $*" >&2
  "$serval" sweep status "$folder/slurm" >&2 || true
  tail -n 20 "$folder"/slurm/slurm/out/* >&2 || true
  exit 1
}

# As many epochs as take a processor of this machine 80 seconds.
export SERVAL_DEMO="$demo"
write_sweep() {
  cat >"$folder/sweep.json" <<EOF
{
  "name": "long",
  "experiment": "$root/experiments/demo_lstm.json",
  "quick": true,
  "set": ["store=\"$folder/stores\"", "train.checkpoint_every_s=0", "train.epochs=$1"],
  "axes": { "seeds.0": { "values": [1, 2] } }
}
EOF
}
write_sweep 100
begin="$(date +%s%N)"
"$serval" sweep "$folder/sweep.json" --out "$folder/trial" --device cpu --threads 1 --quiet >/dev/null
epochs=$((100 * 2 * 80000 / (($(date +%s%N) - begin) / 1000000)))
write_sweep "$epochs"

echo "here, $epochs epochs"
"$serval" sweep "$folder/sweep.json" --out "$folder/local" --device cpu --threads 2 --quiet >/dev/null

echo "on Slurm, a minute at a time"
echo '{ "elements": 2, "cpus": 1, "device": "cpu", "time": "00:01:00", "warning_s": 30 }' >"$folder/site.json"
"$cluster" start "$folder/cluster"
export SLURM_CONF="$folder/cluster/slurm.conf"
"$serval" sweep "$folder/sweep.json" --out "$folder/slurm" --slurm "$folder/site.json"
job="$(head -n 1 "$folder/slurm/slurm/jobs.txt")"
restarts() { scontrol show job "$job" | grep -o 'Restarts=[0-9]*' | awk -F = '{ n += $2 } END { print n + 0 }'; }
finished() { find "$folder/slurm/trials" -name '*.json' | wc -l; }
again=0
for ((second = 0; second < 1500 && $(finished) < 2; ++second)); do
  now="$(restarts)"
  if ((now > again)); then
    again=$now
    echo "after $second s: queued again $again times"
  fi
  sleep 1
done
(($(finished) == 2)) || fail "$(finished) of 2 trials finished"
((again >= 2)) || fail "only $again jobs were queued again"
grep -h -o 'TIME LIMIT' "$folder"/slurm/slurm/out/* && fail "a job ran into its time limit"

"$serval" sweep collect "$folder/slurm" >/dev/null
for file in leaderboard.json leaderboard.csv leaderboard.txt selected.json; do
  cmp "$folder/local/$file" "$folder/slurm/$file" || fail "$file differs between Slurm and here"
done
echo "the same leaderboard, jobs queued again $again times"
