#!/usr/bin/env bash
# The checks see what they are for: each is run on a small house with a planted fault.
set -euo pipefail
checks="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
failures=0

# plant PATH LINE...: one file with these lines in an otherwise clean house.
plant() {
  local path="$1"
  shift
  rm -rf "$scratch/house"
  mkdir -p "$scratch/house"/{include/serval/core,src/{core,nn,audio},cuda/nn,tools,tests,cmake}
  touch "$scratch/house/CMakeLists.txt"
  echo '#include "serval/core/error.h"' >"$scratch/house/src/nn/clean.cc"
  mkdir -p "$(dirname "$scratch/house/$path")"
  printf '%s\n' "$@" >"$scratch/house/$path"
}
# expect good|bad CHECK WORDS: how the check must end, and what it must say.
expect() {
  local verdict=good
  local said
  said="$("$checks/$2" "$scratch/house" 2>&1)" || verdict=bad
  if [[ "$verdict" != "$1" || "$said" != *"$3"* ]]; then
    echo "$2: expected $1 with '$3', was $verdict:"
    echo "$said"
    failures=$((failures + 1))
  fi
}

plant src/nn/lstm.cc '#include "serval/nn/lstm.h"' '#include <vector>' '#include "src/nn/gates.h"'
expect good include_directions.sh "keep to the table"
plant src/nn/lstm.cc '#include <vector>' '#include "serval/train/trainer.h"'
expect bad include_directions.sh "src/nn/lstm.cc:2: nn may not include serval/train/trainer.h"
plant include/serval/core/tensor.h '  #  include "serval/nn/lstm.h"  // late'
expect bad include_directions.sh "core may not include serval/nn/lstm.h"
plant src/core/context.cc '#include "cuda/core/state.cuh"'
expect bad include_directions.sh "CUDA belongs under cuda/"
plant include/serval/core/tensor.h '#include <cuda_runtime.h>'
expect bad include_directions.sh "CUDA belongs under cuda/"
plant include/serval/core/tensor.h '#ifdef __CUDACC__' '#endif'
expect bad include_directions.sh "include/serval/core/tensor.h:1: asks for the CUDA compiler"
plant include/serval/core/hd.h '#ifdef __CUDACC__' '#endif'
expect good include_directions.sh "keep to the table"
plant cuda/nn/lstm.cu '#include <cudnn.h>' '#include "cuda/core/launch.cuh"' '#include "serval/nn/lstm.h"'
expect good include_directions.sh "keep to the table"
plant cuda/nn/lstm.cu '#include "cuda/features/mel.cuh"'
expect bad include_directions.sh "nn may not include cuda/features/mel.cuh"
plant include/serval/audio/corpus_check.h '#include "serval/corpus/manifest.h"'
expect good include_directions.sh "keep to the table"
plant include/serval/audio/decode.h '#include "serval/corpus/manifest.h"'
expect bad include_directions.sh "audio may not include serval/corpus/manifest.h"
plant src/kitchen/sink.cc 'int sink;'
expect bad include_directions.sh "the room kitchen is not in the table"

mapfile -t lines < <(seq 400)
plant src/nn/long.cc "${lines[@]}"
expect good file_size.sh "no file is over"
mapfile -t lines < <(seq 401)
plant src/nn/long.cc "${lines[@]}"
expect good file_size.sh "src/nn/long.cc: 401 lines; over 400"
mapfile -t lines < <(seq 801)
plant src/nn/long.cc "${lines[@]}"
expect bad file_size.sh "src/nn/long.cc: 801 lines; 800 is the limit"

if ((failures > 0)); then exit 1; fi
echo "self_test: every planted fault was found"
