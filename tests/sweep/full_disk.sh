#!/usr/bin/env bash
# A sweep on a file system that is too small for it: it ends with code 7 and says what to free, loses nothing that was
# finished, and the same command ends it once there is room, with the leaderboard of a sweep that always had some.
#
#   tests/sweep/full_disk.sh SERVAL DEMO_CORPUS
#
# Ends with code 77, which ctest counts as skipped, where no file system can be mounted.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
enter_folder full
mkdir small
if ((EUID != 0)) || ! mount -t tmpfs -o size=64k tmpfs "$folder/small" 2>/dev/null; then
  echo "skipped: only root can mount a small file system, and containers may forbid it"
  exit 77
fi
trap 'umount "$folder/small"; rm -rf "$folder"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
sweep_of() {
  cat <<EOF
{
  "name": "s",
  "experiment": "x.json",
  "set": ["store=\"$1\"", "models.lstm.network.layers.0.hidden=96"],
  "axes": { "train.optimizer.learning_rate": { "values": [0.001, 0.003, 0.01, 0.03] } },
  "keep": "runs"
}
EOF
}
sweep_of "$folder/stores" >whole.json
sweep_of "$folder/small/stores" >s.json
"$serval" sweep whole.json --out whole --device cpu --threads 2 --quiet >/dev/null

sizes=()
finished_before=0 full=0
# By a quarter more until the stores have room, then in small steps through the runs.
for ((kib = 64; ; )); do
  if ((kib > 65536)); then fail "still full at 64 MiB"; fi
  mount -o "remount,size=${kib}k" "$folder/small"
  code=0
  "$serval" sweep s.json --out small/sweep --device cpu --threads 2 --workers 1 --quiet >/dev/null 2>errors || code=$?
  finished="$(find small/sweep/trials -name '*.json' 2>/dev/null | wc -l)"
  if ((finished < finished_before)); then fail "$finished trials are finished, $finished_before were"; fi
  finished_before=$finished
  if ((code == 0)); then break; fi
  if ((code != 7)); then fail "code $code at $kib KiB: $(cat errors)"; fi
  grep -q "run the same command again" errors || fail "does not say how to go on: $(cat errors)"
  grep -q "free" errors || fail "does not say what to free: $(cat errors)"
  grep -q "$folder/small" errors || fail "does not name the folder: $(cat errors)"
  sizes+=("$kib:$finished")
  full=$((full + 1))
  if compgen -G 'small/stores/features-*.h5' >/dev/null; then kib=$((kib + 400)); else kib=$((kib * 5 / 4)); fi
done
if ((full < 3)); then fail "was full at $full sizes only"; fi
if [[ "${sizes[*]}" != *:[1-9]* ]]; then fail "never full with a trial finished: ${sizes[*]}"; fi
for file in leaderboard.txt leaderboard.csv leaderboard.json; do
  cmp "small/sweep/$file" "whole/$file" || fail "$file differs"
done
twice="$(cat small/sweep/journal/*.jsonl | grep -ao '"event": "finished","trial": "[0-9a-f]*"' | sort | uniq -d)"
if [[ -n "$twice" ]]; then fail "finished twice: $twice"; fi
echo "full at $full sizes (KiB:trials finished): ${sizes[*]}; done at $kib KiB with the same leaderboard"
