#!/usr/bin/env bash
# Runs everything that wants a GPU, from the folder that tools/gpu/pack.sh made: the GPU tests, the same under
# compute-sanitizer's four tools, then the times of one LSTM layer, of features engine by engine, of training steps
# (beside PyTorch, where that machine's python3 has it) and, where a demo corpus was packed, of the demo experiment
# from recordings to results. One command does it all, because every further one would cost that machine's time again:
#
#   OUT=results bash FOLDER/run.sh [tests] [sanitizer] [bench] [compare]      all four when none is named
#
# Tests share the processors, as many at once as there are cores; sanitizer runs go four at a time; timings run alone. Writes
# summary.txt, machine.txt, tests.log, sanitizer.log, bench.log and compare.log under $OUT. Ends with 0 when all passed,
# 1 when something failed, 2 when nothing could run. SERVAL_STEP_SECONDS (default 60) limits each step, so that one that
# hangs does not take the others with it; SERVAL_COMPARE holds options of tools/bench/train/compare.py.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
out="${OUT:-$PWD/results}"
step_seconds="${SERVAL_STEP_SECONDS:-60}"
parts="${*:-tests sanitizer bench compare}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out"
summary="$out/summary.txt"
: >"$summary"
say() { echo "$*" | tee -a "$summary"; }

# CUDA's libraries: those that Python packages brought, which PyTorch uses too, or those of the system.
library_folders() {
  local python
  for python in python3 /opt/*/bin/python3 /opt/*/.venv/bin/python3; do
    command -v "$python" >/dev/null || continue
    "$python" - <<'PYTHON' || true
import glob, sys
for folder in sys.path:
    for found in sorted(glob.glob(folder + "/nvidia/*/lib")):
        print(found)
PYTHON
  done
  printf '%s\n' /usr/local/cuda/lib64 /usr/local/cuda/lib /usr/lib/x86_64-linux-gnu /usr/local/nvidia/lib64
}
# The packed libraries first; of CUDA's folders only those that hold a library that is asked for.
search="$here/lib"
missing=""
mapfile -t folders < <(library_folders | awk '!seen[$0]++')
while read -r library; do
  found=""
  for folder in "${folders[@]}"; do
    if [[ -e "$folder/$library" ]]; then
      found="$folder"
      break
    fi
  done
  if [[ -z "$found" ]]; then missing="$missing $library"; fi
  if [[ ":$search:" != *":$found:"* && -n "$found" ]]; then search="$search:$found"; fi
done <"$here/cuda_libraries.txt"
export LD_LIBRARY_PATH="$search${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export SERVAL_DATA="$here/source/data"  # descriptions of corpora
export PATH="$here/bin:$PATH:/usr/local/cuda/bin:/usr/local/cuda/compute-sanitizer"
{
  nvidia-smi 2>&1 || true
  echo "LD_LIBRARY_PATH=$LD_LIBRARY_PATH"
  head -1 /etc/os-release
  grep -m1 'model name' /proc/cpuinfo
} >"$out/machine.txt"
if [[ -n "$missing" ]]; then
  say "cannot run: not found:$missing (searched: ${folders[*]})"
  exit 2
fi
if ! nvidia-smi -L >/dev/null 2>&1; then
  say "cannot run: nvidia-smi sees no GPU"
  exit 2
fi

# The tests were compiled to read their files below the source folder. A machine without that folder gets a
# link in its place for as long as this takes.
source_path="$(<"$here/source_path.txt")"
if [[ ! -e "$source_path" ]]; then
  mkdir -p "$(dirname "$source_path")"
  ln -s "$here/source" "$source_path"
  trap 'rm -f "$source_path"; rm -rf "$scratch"' EXIT
fi

# step NAME LOG COMMAND...: one line in the summary.
step() {
  local name="$1" log="$2" status=0 started="$SECONDS" own
  shift 2
  own="$(mktemp "$scratch/log.XXXX")"
  echo "=== $name: $*" >"$own"
  timeout --kill-after=10 "$step_seconds" "$@" >>"$own" 2>&1 || status=$?
  local verdict=passed
  if ((status == 124 || status == 137)); then verdict="TIMED OUT"; elif ((status != 0)); then verdict="FAILED ($status)"; fi
  say "$verdict  $name  $((SECONDS - started)) s"
  # Logs of steps that run side by side stay whole.
  flock "$log" cat "$own" >>"$log"
}
# The same beside others, `at_once` in all.
at_once="$(nproc)"
beside() {
  while (($(jobs -rp | wc -l) >= at_once)); do wait -n; done
  step "$@" &
}

# The GPU instance of every test; a program whose tests found no GPU has none and fails.
gpu_tests() {
  local ran
  local own="$scratch/$(basename "$1")"
  "$1" --gtest_filter='Devices/*/cuda' | tee "$own"
  local status="${PIPESTATUS[0]}"
  ran="$(sed -n 's/^\[==========\] \([0-9]*\) tests\? from .* ran.*/\1/p' "$own")"
  if ((status == 0 && ${ran:-0} == 0)); then
    echo "no GPU test ran"
    return 3
  fi
  return "$status"
}
export scratch
export -f gpu_tests

wants() { [[ " $parts " == *" $1 "* ]]; }

if wants tests; then
  for program in "$here"/bin/test_*; do
    beside "$(basename "$program")" "$out/tests.log" bash -c "gpu_tests '$program'"
  done
  wait
fi

# Our own kernels alone: those of the libraries take minutes more. Sixteen at a time stood in each other's way on one GPU.
if wants sanitizer && command -v compute-sanitizer >/dev/null; then
  at_once=4
  for tool in memcheck racecheck synccheck initcheck; do
    for program in "$here"/bin/test_*; do
      beside "$tool $(basename "$program")" "$out/sanitizer.log" \
        compute-sanitizer --tool "$tool" --kernel-regex kns=serval --error-exitcode 9 "$program" \
        --gtest_filter='Devices/*/cuda'
    done
  done
  wait
elif wants sanitizer; then
  say "not run: compute-sanitizer is not on this machine"
fi

# A pack of some rooms alone has none of these programs.
if wants bench && [[ -x "$here/bin/serval_lstm_bench" ]]; then
  step "time of an LSTM layer" "$out/bench.log" serval_lstm_bench
fi
# Twelve sets and distributions, each in a dozen layouts: minutes rather than seconds.
if wants bench && [[ -x "$here/bin/serval_features_gpu_bench" ]]; then
  step_seconds=$((4 * step_seconds)) step "time of features" "$out/bench.log" serval_features_gpu_bench
fi
if wants bench && [[ -x "$here/bin/serval" && -d "$here/corpus" ]]; then
  rm -rf "$out/demo" "$out/demo-stores"
  SERVAL_DEMO="$here/corpus" step "time of the demo experiment" "$out/bench.log" \
    serval run "$here/source/experiments/demo_lstm.json" --device cuda --out "$out/demo" \
    --set "store=\"$out/demo-stores\""
fi
if wants compare && [[ -x "$here/bin/serval" ]]; then
  if python3 -c 'import torch' 2>/dev/null; then
    step_seconds=$((4 * step_seconds)) step "training steps beside PyTorch" "$out/compare.log" \
      python3 "$here/source/tools/bench/train/compare.py" --serval "$here/bin/serval" --work "$scratch/compare" \
      --device cuda --folds ${SERVAL_COMPARE:---rounds 3 --seconds 1}
  else
    say "not run: python3 has no torch"
  fi
fi

failures="$(grep -c -E '^(FAILED|TIMED OUT)' "$summary")"
say "$([[ $failures == 0 ]] && echo "all passed" || echo "$failures steps failed")"
((failures == 0))
