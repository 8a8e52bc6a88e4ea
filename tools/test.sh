#!/usr/bin/env bash
# Builds everything and runs the tests and the checks.
#
#   tools/test.sh [--full] [--cuda auto|on|off]
#
# Fuzz targets run for 15 s each, a minute together on two processors, under clang's sanitizers.
#
#   --full   also the long tests (label "slow": a run killed 300 times), 10 min a fuzz target, a build with the address and
#            undefined-behaviour sanitizers (preset asan) and its tests, and clang-tidy over every source
#   --cuda   the CUDA build and its tests. auto (default): where nvcc and cuDNN's headers are found; on: always.
#            CMAKE_CUDA_ARCHITECTURES in the environment says for which GPUs; unless set, native where a GPU is
#            visible and 90-real elsewhere, and build/cuda keeps that choice. Without a GPU the tests that need
#            one say how many were not run.
#
# Tests on real recordings run when SERVAL_CORPORA names the folder that holds them.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

full=no
cuda=auto
while (($# > 0)); do
  case "$1" in
    --full) full=yes ;;
    --cuda)
      [[ "${2:-}" =~ ^(auto|on|off)$ ]] || die "--cuda takes auto, on or off" 2
      cuda="$2"
      shift
      ;;
    --help | -h) print_help && exit 0 ;;
    *) die "unknown argument '$1'; see --help" 2 ;;
  esac
  shift
done

# nvcc as an installer leaves it, often not on PATH.
for folder in "${CUDA_HOME:-}/bin" /usr/local/cuda/bin; do
  if ! command -v nvcc >/dev/null && [[ -x "$folder/nvcc" ]]; then PATH="$PATH:$folder"; fi
done
has_cudnn() {
  local toolkit
  toolkit="$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")"
  compgen -G "$toolkit/include/cudnn.h" >/dev/null || compgen -G "$toolkit/targets/*/include/cudnn.h" >/dev/null ||
    compgen -G "/usr/include/cudnn.h" >/dev/null || compgen -G "/usr/include/*/cudnn.h" >/dev/null
}
why_no_cuda=""
if [[ "$cuda" == off ]]; then
  why_no_cuda="--cuda off"
elif [[ "$cuda" == auto ]] && ! command -v nvcc >/dev/null; then
  why_no_cuda="nvcc not found"
elif [[ "$cuda" == auto ]] && ! has_cudnn; then
  why_no_cuda="cuDNN's headers not found"
fi

presets=(cpu)
if [[ -z "$why_no_cuda" ]]; then presets+=(cuda); fi
if [[ "$full" == yes ]]; then presets+=(asan); fi
if [[ "$full" == yes ]]; then "$SERVAL_ROOT/tools/setup.sh" --full; else "$SERVAL_ROOT/tools/setup.sh" --test; fi

# A Python with ONNX Runtime, which tests of ONNX files need; they say so where there is none.
onnx_venv="$SERVAL_ROOT/build/onnx-python"
if [[ -z "${SERVAL_ONNX_PYTHON:-}" ]]; then
  if [[ ! -e "$onnx_venv/whole" ]]; then
    say "installing onnx, onnxruntime and numpy for Python in $onnx_venv"
    mkdir -p "$SERVAL_ROOT/build"
    if python3 -m venv --clear "$onnx_venv" && timeout 180 "$onnx_venv/bin/python" -m pip install --quiet \
      --disable-pip-version-check --retries 1 --timeout 20 onnx onnxruntime numpy; then
      touch "$onnx_venv/whole"
    fi
  fi
  if [[ -e "$onnx_venv/whole" ]]; then export SERVAL_ONNX_PYTHON="$onnx_venv/bin/python"; fi
fi

has_gpu() { nvidia-smi -L 2>/dev/null | grep -q '^GPU'; }
# A build for the GPU at hand runs there and compiles fastest; without one any will do that nvcc knows.
gpus="${CMAKE_CUDA_ARCHITECTURES:-}"
if [[ -z "$gpus" ]]; then
  if has_gpu; then gpus=native; else gpus=90-real; fi
fi

failed=()
test_preset() {
  local preset="$1" folder="$SERVAL_ROOT/build/$1"
  shift
  configure "$preset" -DSERVAL_TESTS=ON -DSERVAL_WERROR=ON "$@"
  build "$preset"
  # The checks of the sources are the same for every build, and the long tests run on the CPU: once is enough.
  local left_out=()
  if [[ "$full" == no || "$preset" != cpu ]]; then left_out+=(slow); fi
  if [[ "$preset" != cpu ]]; then left_out+=(checks demo slurm); fi
  # Whole runs and sweeps on the CPU do the same in both builds; without a GPU once is enough too.
  if [[ "$preset" == cuda ]] && ! has_gpu; then left_out+=(experiments sweep); fi
  local labels=()
  if ((${#left_out[@]} > 0)); then labels=(--label-exclude "^($(IFS='|' && echo "${left_out[*]}"))$"); fi
  say "tests: preset $preset"
  ctest --test-dir "$folder" --parallel "$(nproc)" --output-on-failure --no-tests=error \
    --output-junit "$folder/tests.xml" "${labels[@]}" 2>&1 | tee "$folder/tests.log" || failed+=("tests of preset $preset")
}

test_preset cpu
if [[ -z "$why_no_cuda" ]]; then
  test_preset cuda -DCMAKE_CUDA_ARCHITECTURES="$gpus"
fi
say "fuzzing"
fuzz_s=15
if [[ "$full" == yes ]]; then fuzz_s=600; fi
"$SERVAL_ROOT/tests/fuzz/run.sh" "$fuzz_s" || failed+=("fuzzing")
if [[ "$full" == yes ]]; then
  test_preset asan
  configure tidy -DSERVAL_TESTS=OFF
  build tidy || failed+=("clang-tidy")
fi

# Tests whose body runs once a device: those that have a CPU run and no CUDA run in this build, on this machine.
gpu_tests_not_run() {
  local program count=0
  for program in "$SERVAL_ROOT"/build/cuda/tests/test_*; do
    if [[ ! -f "$program" || ! -x "$program" ]]; then continue; fi
    count=$((count + $("$program" --gtest_list_tests | awk '/^  .*\/cpu/ { cpu++ } /^  .*\/cuda/ { cuda++ } END { print cpu - cuda }')))
  done
  echo "$count"
}

# ctest's own summaries close the output.
say "took $((SECONDS / 60)) min $((SECONDS % 60)) s"
if [[ -n "$why_no_cuda" ]]; then
  say "the CUDA build was left out: $why_no_cuda"
else
  say "build/cuda is for the GPUs \"$gpus\"; cmake --preset cuda -DCMAKE_CUDA_ARCHITECTURES=... changes that"
  not_run="$(gpu_tests_not_run)"
  if ((not_run > 0)); then say "$not_run tests for device cuda were not run: no GPU can be used here"; fi
fi
if [[ -z "${SERVAL_CORPORA:-}" ]]; then say "SERVAL_CORPORA is not set: tests on real recordings were not run"; fi
if [[ -z "${SERVAL_ONNX_PYTHON:-}" ]]; then say "no Python with onnxruntime: ONNX files were not run"; fi
if ((${#failed[@]} > 0)); then say "FAILED: $(IFS=',' && echo "${failed[*]}")"; fi
exec 2>&1
for preset in "${presets[@]}"; do
  echo "== summary of ctest, preset $preset"
  sed -n '/tests passed, .* tests failed/,$p' "$SERVAL_ROOT/build/$preset/tests.log"
done
((${#failed[@]} == 0))
