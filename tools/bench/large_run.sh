#!/usr/bin/env bash
# What a run of 12,152 recordings, 11 folds and 5 seeds costs beside decoding and training: audit, statistics, report, and a
# comparison of two such runs. Stores are filled first; the scores of all 55 trainings are drawn.
#
#   tools/bench/large_run.sh [FOLDER [BUILD]]
#     FOLDER  a new folder, deleted at the end: about 2 GB; SERVAL_STORES names stores to use instead of its own
#     BUILD   where serval and serval_made_up_run are; build/cpu
#
# SERVAL_CORPORA names the folder with ravdess, tess, savee and crema_d.
set -euo pipefail
: "${SERVAL_CORPORA:?names the folder with ravdess, tess, savee and crema_d}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-/var/tmp/serval-large-run-$$}
build=$(cd "${2:-build/cpu}" && pwd)
[ ! -e "$folder" ] || { echo "$folder: is there already; name a new folder" >&2; exit 2; }
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"
cd "$folder"
stores=${SERVAL_STORES:-$folder/stores}

# Runs the command behind the title with its output kept in log.txt; prints seconds and the most resident memory.
timed() {
  python3 - "$@" <<'PY'
import os, resource, subprocess, sys, time
title, command = sys.argv[1], sys.argv[2:]
start = time.monotonic()
with open("log.txt", "a") as log:
    code = subprocess.run(command, stdout=log, stderr=log).returncode
seconds, mib = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"| {title} | {seconds:.1f} s | {mib:.0f} MiB |", flush=True)
sys.exit(code)
PY
}

serval=$build/serval
experiment=$here/large_run.json
set_store=(--set "store=\"$stores\"")
"$serval" features "$experiment" "${set_store[@]}" > log.txt 2>&1
for name in a b; do
  edge=1.4
  [ $name = a ] || edge=1.5
  "$build/serval_made_up_run" "$experiment" $name $edge "store=\"$stores\"" >> log.txt 2>&1
done
rm -f "$stores"/alike-*.json

echo "| | wall | peak memory |"
echo "|---|---|---|"
timed "\`serval audit\`: all sounds compared, folds, the first pass" "$serval" audit "$experiment" "${set_store[@]}"
timed "\`serval audit\` again: what the sounds are like stands in the store" "$serval" audit "$experiment" "${set_store[@]}"
timed "\`serval run\`: both passes, statistics, tables, report" "$serval" run "$experiment" --device cpu "${set_store[@]}" --out a
timed "\`serval report a\`: read back, statistics, report" "$serval" report a
"$serval" run "$experiment" --device cpu "${set_store[@]}" --out b >> log.txt 2>&1
timed "\`serval report a b\`: a comparison" "$serval" report a b --out both
grep -E "^ +(mean|95|drawn)" log.txt | tail -n 3
ls -l a/report.html both/comparison.html | awk '{ print $NF ": " int($5 / 1024) " KiB" }'
