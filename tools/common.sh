# What the scripts of this folder share. Sourced, never run.
# shellcheck shell=bash

SERVAL_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '== %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  exit "${2:-1}"
}

# Prints the comment block at the head of the calling script, for --help.
print_help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# Compilers that run side by side: one a processor, but no more than memory bears (about 1.5 GiB each).
build_jobs() {
  local processors memory_kib by_memory
  processors="$(nproc)"
  memory_kib="$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)"
  by_memory=$((${memory_kib:-2000000} / 1500000))
  if ((by_memory < 1)); then by_memory=1; fi
  echo $((processors < by_memory ? processors : by_memory))
}

# configure PRESET [cmake arguments]: repeated builds go through ccache where it is installed.
configure() {
  local preset="$1"
  shift
  if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
  fi
  say "configure: preset ${preset}"
  (cd "$SERVAL_ROOT" && cmake --preset "$preset" "$@") >&2
}

# build PRESET [targets]: everything when no target is named.
build() {
  local preset="$1"
  shift
  local targets=()
  if (($# > 0)); then targets=(--target "$@"); fi
  say "build: preset $preset, ${*:-all targets}"
  cmake --build "$SERVAL_ROOT/build/$preset" --parallel "$(build_jobs)" "${targets[@]}" >&2
}
