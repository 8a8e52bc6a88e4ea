#!/usr/bin/env bash
# Runs many experiments on one GPU, several at a time, for as long as a borrowed machine is there:
#
#   OUT=results SERVAL_CORPORA=CORPORA tools/gpu/systems.sh SERVAL LIST SECONDS [JOBS]
#
# SERVAL is the program; LIST has one experiment a line: a name, the file, options of `serval run` (# starts a comment). They start
# in this order, JOBS (default 1) at once: processes take turns on a GPU, and eight stood in each other's way. What has not
# finished after SECONDS is stopped and left out. Under $OUT then lie summary.txt (how each ended and how long it took), logs.tar.xz
# and runs.tar.xz: the runs' directories without weights and pages, for `tools/results/results.py add`. Each run has a store
# of its own in a scratch folder.
set -uo pipefail
(($# >= 3)) || { sed -n '2,10s/^# \{0,1\}//p' "$0" && exit 2; }
serval="$1"
list="$2"
seconds="$3"
jobs="${4:-1}"
out="${OUT:-$PWD/results}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out" "$scratch/runs" "$scratch/logs" "$scratch/stores"
threads=$(($(nproc) / jobs))
if ((threads < 1)); then threads=1; fi

one() {
  local name="$1" file="$2" status=0 started="$SECONDS" left=$((seconds - SECONDS))
  shift 2
  if ((left < 5)); then
    echo "not begun  $name" >>"$out/summary.txt"
    return
  fi
  timeout --signal=INT --kill-after=10 "$left" "$serval" run "$file" --device cuda --threads "$threads" \
    --out "$scratch/runs/$name" --set "store=\"$scratch/stores/$name\"" "$@" >"$scratch/logs/$name.txt" 2>&1 || status=$?
  rm -rf "$scratch/stores/$name"
  if ((status != 0)); then mv "$scratch/runs/$name" "$scratch/unfinished-$name" 2>/dev/null; fi
  echo "exit $status  $name  $((SECONDS - started)) s" | tee -a "$out/summary.txt"
}

: >"$out/summary.txt"
while read -r name file options; do
  [[ -n "$name" && "$name" != \#* ]] || continue
  while (($(jobs -rp | wc -l) >= jobs)); do wait -n; done
  # Options are written as in a shell, without blanks inside.
  # shellcheck disable=SC2086
  one "$name" "$file" $options &
done <"$list"
wait
tar -cJf "$out/logs.tar.xz" -C "$scratch" logs
tar -cJf "$out/runs.tar.xz" -C "$scratch" --exclude='*.h5' --exclude=report.html --exclude=tensorboard runs
