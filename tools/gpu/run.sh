#!/usr/bin/env bash
# Runs everything that wants a GPU, from the folder that tools/gpu/pack.sh made: the GPU tests, the same under
# compute-sanitizer's four tools, then the times of one LSTM layer, of features engine by engine and, where a demo
# corpus was packed, of the demo experiment from recordings to results. One command does it all, because every further one would cost
# that machine's time again:
#
#   OUT=results bash FOLDER/run.sh
#
# Writes summary.txt, machine.txt, tests.log, sanitizer.log and bench.log under $OUT. Ends with 0 when all
# passed, 1 when something failed, 2 when nothing could run. SERVAL_STEP_SECONDS (default 60) limits each
# step, so that one that hangs does not take the others with it.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
out="${OUT:-$PWD/results}"
step_seconds="${SERVAL_STEP_SECONDS:-60}"
mkdir -p "$out"
summary="$out/summary.txt"
: >"$summary"
say() { echo "$*" | tee -a "$summary"; }

# CUDA's libraries: those of the system, or those that Python packages brought.
library_folders() {
  printf '%s\n' /usr/local/cuda/lib64 /usr/local/cuda/lib /usr/lib/x86_64-linux-gnu /usr/local/nvidia/lib64
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
  trap 'rm -f "$source_path"' EXIT
fi

failures=0
# step NAME LOG COMMAND...: one line in the summary.
step() {
  local name="$1" log="$2" status=0 started="$SECONDS"
  shift 2
  echo "=== $name: $*" >>"$log"
  timeout --kill-after=10 "$step_seconds" "$@" >>"$log" 2>&1 || status=$?
  local verdict=passed
  if ((status == 124 || status == 137)); then verdict="TIMED OUT"; elif ((status != 0)); then verdict="FAILED ($status)"; fi
  if ((status != 0)); then failures=$((failures + 1)); fi
  say "$verdict  $name  $((SECONDS - started)) s"
}

# The GPU instance of every test; a program whose tests found no GPU has none and fails.
gpu_tests() {
  local ran
  "$1" --gtest_filter='Devices/*/cuda' | tee "$scratch"
  local status="${PIPESTATUS[0]}"
  ran="$(sed -n 's/^\[==========\] \([0-9]*\) tests\? from .* ran.*/\1/p' "$scratch")"
  if ((status == 0 && ${ran:-0} == 0)); then
    echo "no GPU test ran"
    return 3
  fi
  return "$status"
}
scratch="$(mktemp)"
export scratch
export -f gpu_tests

for program in "$here"/bin/test_*; do
  step "$(basename "$program")" "$out/tests.log" bash -c "gpu_tests '$program'"
done

if command -v compute-sanitizer >/dev/null; then
  # The fused feature kernel by itself first: a whole program under a tool may run out of its step's time.
  if [[ -x "$here/bin/test_features" ]]; then
    for tool in memcheck racecheck; do
      step "$tool fused features" "$out/sanitizer.log" compute-sanitizer --tool "$tool" --error-exitcode 9 \
        "$here/bin/test_features" --gtest_filter='Devices/ResidentTest.*/cuda'
    done
  fi
  for tool in memcheck racecheck synccheck initcheck; do
    for program in "$here"/bin/test_*; do
      step "$tool $(basename "$program")" "$out/sanitizer.log" \
        compute-sanitizer --tool "$tool" --error-exitcode 9 "$program" --gtest_filter='Devices/*/cuda'
    done
  done
else
  say "not run: compute-sanitizer is not on this machine"
fi

# A pack of some rooms alone has none of these programs.
if [[ -x "$here/bin/serval_lstm_bench" ]]; then
  step "time of an LSTM layer" "$out/bench.log" serval_lstm_bench
fi
# Twelve sets and distributions, each in a dozen layouts: minutes rather than seconds.
if [[ -x "$here/bin/serval_features_gpu_bench" ]]; then
  step_seconds=$((4 * step_seconds)) step "time of features" "$out/bench.log" serval_features_gpu_bench
fi
if [[ -x "$here/bin/serval" ]]; then
  networks="$here/source/experiments/networks"
  for models in 1 12; do
    step "training steps of an LSTM, $models at once" "$out/bench.log" serval bench train "$networks/lstm_small.json" \
      --input 120 --batch 64 --frames 150 --models "$models" --threads "$models" --seconds 3 --device cuda
  done
  for network in cnn_lstm_mfcc_time ds_lstm ast_tiny; do
    step "training steps of $network" "$out/bench.log" serval bench train "$networks/$network.json" --batch 32 \
      --seconds 3 --device cuda
  done
fi
if [[ -x "$here/bin/serval" && -d "$here/corpus" ]]; then
  rm -rf "$out/demo" "$out/demo-stores"
  SERVAL_DEMO="$here/corpus" step "time of the demo experiment" "$out/bench.log" \
    serval run "$here/source/experiments/demo_lstm.json" --device cuda --out "$out/demo" \
    --set "store=\"$out/demo-stores\""
fi

rm -f "$scratch"
say "$([[ $failures == 0 ]] && echo "all passed" || echo "$failures steps failed")"
((failures == 0))
