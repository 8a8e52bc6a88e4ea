#!/usr/bin/env bash
# Builds the fuzz targets and runs them from their seeds, each for so many seconds, as many side by side as there are
# processors.
#
#   tests/fuzz/run.sh [SECONDS] [TARGET...]    60 seconds, all targets
#
# What is found on the way is kept in build/fuzz/corpus/<target>, and goes on from there. An input that crashes, hangs for
# 10 s, leaks or takes 2 GiB ends its target with exit code 1, and stands in build/fuzz/found.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../tools/common.sh"
seconds="${1:-60}"
shift || true
targets=("$@")
if ((${#targets[@]} == 0)); then targets=(audio bundle csv http json store weights); fi
cd "$SERVAL_ROOT"
command -v clang++-14 >/dev/null || die "clang++-14 is missing; tools/setup.sh --test installs it" 2
configure fuzz
build fuzz

fuzz() {
  local target="$1" corpus="build/fuzz/corpus/$1" log="build/fuzz/$1.log" more=()
  mkdir -p "$corpus" build/fuzz/found
  if [[ "$target" == json ]]; then more=(experiments/networks); fi
  if SERVAL_FUZZ_BUNDLE="$PWD/tests/fuzz/seed.bundle" "build/fuzz/tests/fuzz/fuzz_$target" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 -max_len=32768 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/found/$target-" "$corpus" "tests/fuzz/seeds/$target" "${more[@]}" >"$log" 2>&1; then
    printf '%-8s %s inputs, nothing found\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    tail -n 40 "$log" >&2
    printf '%-8s FOUND SOMETHING; see build/fuzz/found and %s\n' "$target" "$log"
    return 1
  fi
}
export -f fuzz
export seconds
export LSAN_OPTIONS="suppressions=$PWD/tests/fuzz/third_party.supp:print_suppressions=0"
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'set -euo pipefail; fuzz {}'
