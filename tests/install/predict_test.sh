#!/usr/bin/env bash
# The programs of docs/library_c.md and docs/library_cpp.md, built against an installed libserval_predict by pkg-config and by
# CMake, print the bits of `serval predict`.
#
#   tests/install/predict_test.sh PREFIX BUNDLE EXPECTED RECORDING...
#
# EXPECTED: what `serval predict BUNDLE RECORDING... --format jsonl` said. Nothing of Serval's but PREFIX is used, so that the
# same test runs in a bare system.
set -euo pipefail
prefix="$(realpath "$1")" bundle="$2" expected="$3"
shift 3
docs="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../docs" && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
fail() { echo "FAILED: $*" >&2 && exit 1; }

# The first block of a language on a page.
block() { awk -v open="\`\`\`$2" '$0 == open { on = 1; next } on && /^```/ { exit } on' "$docs/$1"; }
block library_c.md c >"$scratch/scores.c"
block library_cpp.md cpp >"$scratch/scores.cc"
block library_cpp.md cmake >"$scratch/CMakeLists.txt"
library="$(find "$prefix" -name 'libserval_predict.so')"
[[ -n "$library" ]] || fail "no libserval_predict.so under $prefix"
export LD_LIBRARY_PATH="$(dirname "$library")" PKG_CONFIG_PATH="$(dirname "$library")/pkgconfig"
read -ra flags <<<"$(pkg-config --cflags --libs serval-predict)"
cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$scratch/scores.c" -o "$scratch/c" "${flags[@]}"
c++ -std=c++20 -Wall -Wextra -Werror "$scratch/scores.cc" -o "$scratch/cpp" "${flags[@]}"
cmake -S "$scratch" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$prefix" >"$scratch/log" && cmake --build "$scratch/build" >>"$scratch/log" ||
  { cat "$scratch/log" && fail "CMake"; }

# Every number of a line, in its order, as 17 digits: two doubles print alike only when they are the same bits.
numbers() { grep -oE '[ :](-?[0-9]+\.?[0-9]*(e[-+]?[0-9]+)?)\b' | tr -d ' :' | awk '{ printf "%.17g\n", $1 }'; }
# seconds, confidence, probabilities: the examples do not print the confidence.
sed -e 's/^.*"seconds"/"seconds"/' -e 's/"confidence": *[^,]*,//' "$expected" | tr ',' '\n' | numbers >"$scratch/expected"
grep -o '"label": *"[a-z]*"' "$expected" | sed 's/.*"\([a-z]*\)"$/\1/' >"$scratch/labels"
[[ -s "$scratch/expected" && -s "$scratch/labels" ]] || fail "$expected holds no scores"
for program in c cpp build/scores; do
  "$scratch/$program" "$bundle" "$@" >"$scratch/said"
  sed 's/^[^ ]*//' "$scratch/said" | numbers | diff - "$scratch/expected" || fail "$program and serval predict differ"
  awk '{ print $3 }' "$scratch/said" | diff - "$scratch/labels" || fail "$program and serval predict name other classes"
  status=0
  "$scratch/$program" "$bundle" "$scratch/scores.c" >"$scratch/said" 2>"$scratch/error" || status=$?
  [[ "$status" == 3 && ! -s "$scratch/said" ]] && grep -q scores.c "$scratch/error" || fail "$program: no sound gives $status"
  status=0
  "$scratch/$program" "$scratch" "$1" 2>"$scratch/error" || status=$?
  [[ "$status" == 3 ]] && grep -q SHA256SUMS "$scratch/error" || fail "$program: no bundle gives $status"
done

# It needs what it says, and shows what it says.
if command -v readelf >/dev/null; then
  needed="$(readelf -d "$library" | sed -n 's/.*NEEDED.*\[\(lib[a-z]*\).*/\1/p' | sort | tr '\n' ' ')"
  [[ "$needed" == "libc libgcc libm libsndfile libsoxr libstdc libxxhash " ]] || fail "it needs $needed"
  shown="$(nm -D --defined-only -C "$library" | cut -d ' ' -f 3- | grep -vE '^serval_|^serval::deploy::Predictor::|for serval::[A-Za-z]*Error$' || true)"
  [[ -z "$shown" ]] || fail "it shows $shown"
fi
echo "passed: $(wc -l <"$scratch/labels") recordings, C and C++, pkg-config and CMake"
