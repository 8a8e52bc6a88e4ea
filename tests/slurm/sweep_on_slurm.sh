#!/usr/bin/env bash
# A sweep on a real Slurm of two nodes, whose workers, jobs and nodes die on the way: its leaderboard is that of the same
# sweep run here, byte for byte, and no trial was finished twice.
#
#   tests/slurm/sweep_on_slurm.sh SERVAL DEMO_CORPUS TRIALS
#
# Ends with code 77, which ctest counts as skipped, where Slurm cannot run.
set -euo pipefail
serval="$(realpath "$1")" demo="$(realpath "$2")" trials="$3"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cluster="$root/tools/slurm-test-cluster.sh"
problem="$("$cluster" why-not)"
if [[ -n "$problem" ]]; then
  echo "skipped: $problem"
  exit 77
fi

folder="$(mktemp -d /tmp/serval-slurm-XXXXXX)"
sweep="$folder/100 % slurm"  # what sbatch would take apart
chmod 755 "$folder"
killer=""
finish() {
  if [[ -n "$killer" ]]; then kill "$killer" 2>/dev/null || true; fi
  "$cluster" stop "$folder/cluster" || true
  rm -rf "$folder"
}
trap finish EXIT
fail() {
  echo "FAILED: $*" >&2
  "$serval" sweep status "$sweep" >&2 || true
  tail -n 20 "$sweep"/slurm/out/* >&2 || true
  exit 1
}

export SERVAL_DEMO="$demo"
seeds="$(seq -s , 1 $((trials / 4)))"
cat >"$folder/sweep.json" <<EOF
{
  "name": "demo",
  "experiment": "$root/experiments/demo_lstm.json",
  "quick": true,
  "set": ["store=\"$folder/stores\"", "train.checkpoint_every_s=0"],
  "axes": {
    "train.optimizer.learning_rate": { "values": [0.001, 0.003] },
    "train.batch_size": { "values": [8, 16] },
    "seeds.0": { "values": [$seeds] }
  },
  "lease_s": 5,
  "most_crashes": 100
}
EOF
echo '{ "elements": 4, "cpus": 1, "device": "cpu", "time": "01:00:00" }' >"$folder/site.json"

echo "here"
"$serval" sweep "$folder/sweep.json" --out "$folder/local" --device cpu --threads 2 --quiet >/dev/null

echo "on Slurm"
"$cluster" start "$folder/cluster"
export SLURM_CONF="$folder/cluster/slurm.conf"
"$serval" sweep "$folder/sweep.json" --out "$sweep" --slurm "$folder/site.json"

finished() { find "$sweep/trials" -name '*.json' | wc -l; }
workers() { pgrep -f "^$serval sweep work $sweep " || true; }
jobs_left() { squeue -h -t all -o %T | grep -Ec 'PENDING|RUNNING|COMPLETING|CONFIGURING|REQUEUED|SUSPENDED|STOPPED' || true; }

# Workers are killed at random, after every trial that is finished one, until half of the trials are.
kills=0
RANDOM=7
for ((tick = 0; tick < 3000 && $(finished) < trials / 2; ++tick)); do
  mapfile -t pids < <(workers)
  if ((${#pids[@]} > 0 && kills < trials / 3 && $(finished) > kills)); then
    kill -KILL "${pids[RANDOM % ${#pids[@]}]}" 2>/dev/null && kills=$((kills + 1))
  fi
  if ((kills >= trials / 3)); then break; fi
  # All elements may be dead before the last job comes: more are queued, as a person would.
  if ((${#pids[@]} == 0 && $(jobs_left) == 0)); then
    "$serval" sweep retry "$sweep" --slurm "$folder/site.json"
  fi
  sleep 0.2
done
echo "$kills workers killed, $(finished) trials finished"
((kills > 0)) || fail "no worker was there to be killed"

echo "all jobs cancelled, then retried"
"$serval" sweep cancel "$sweep"
for ((tick = 0; tick < 600; ++tick)); do
  if [[ -z "$(workers)" ]]; then break; fi
  sleep 0.1
done
[[ -z "$(workers)" ]] || fail "workers live on after cancel"
before="$(finished)"
"$serval" sweep retry "$sweep" --slurm "$folder/site.json"
echo "a node dies and comes back"
"$cluster" kill-node "$folder/cluster" 1
sleep 0.5
"$cluster" start-node "$folder/cluster" 1
for ((tick = 0; tick < 1800; ++tick)); do
  if (($(finished) == trials)) && (($(jobs_left) == 0)); then break; fi
  # The node that died may have taken jobs with it that Slurm gives up only later.
  if (($(jobs_left) == 0)); then "$serval" sweep retry "$sweep" --slurm "$folder/site.json"; fi
  sleep 0.2
done
echo "$before trials finished before the retry, $(finished) after it"
(($(finished) == trials)) || fail "$(finished) of $trials trials finished"

"$serval" sweep collect "$sweep" >/dev/null
for file in leaderboard.json leaderboard.csv leaderboard.txt selected.json; do
  cmp "$folder/local/$file" "$sweep/$file" || fail "$file differs between Slurm and here"
done
# Each trial's result was published once: of those that died after it, the next owner saw that it was there.
twice="$(cat "$sweep"/journal/*.jsonl | grep -o '"event": "finished","trial": "[0-9a-f]*"' | sort | uniq -d || true)"
[[ -z "$twice" ]] || fail "finished twice: $twice"
[[ -z "$(find "$sweep/runs" -mindepth 1)" ]] || fail "runs of finished trials were left behind"
echo "the same leaderboard, every trial once"
