#!/usr/bin/env bash
# Includes point one way through the house: each room may use only the rooms listed here and itself.
#
#   tools/checks/include_directions.sh [ROOT]     ROOT: the project's folder
#
# Also: nothing under include/ or src/ may include cuda/, and only core/hd.h may ask which compiler reads it.
set -euo pipefail
root="${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
cd "$root"

# room: what it may include besides itself. A longer name is one piece of a room that may include more.
rooms="
core:
corpus:     core
audio:      core
audio/corpus_check: corpus
features:   core audio
store:      core audio features
folds:      core corpus features
audit:      core corpus audio store folds
nn:         core
learners:   core
fitting:    core learners
train:      core features store folds nn learners fitting evaluate
evaluate:   core
report:     core audio features audit evaluate
deploy:     core audio features nn learners evaluate
experiment: core corpus audio features store folds audit nn learners fitting train evaluate report deploy
"

sources() { find include src cuda -type f \( -name '*.h' -o -name '*.cc' -o -name '*.cu' -o -name '*.cuh' \) 2>/dev/null | sort; }

mapfile -t files < <(sources)
if ((${#files[@]} == 0)); then
  echo "include_directions: no sources under $root" >&2
  exit 2
fi

awk -v rooms="$rooms" '
  BEGIN {
    count = split(rooms, lines, "\n")
    for (i = 1; i <= count; ++i) {
      words = split(lines[i], word, " ")
      if (words == 0) continue
      room = word[1]
      sub(":$", "", room)
      known[room] = 1
      allowed[room, room] = 1
      for (j = 2; j <= words; ++j) allowed[room, word[j]] = 1
    }
  }
  function complain(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    ++faults
  }
  FNR == 1 {
    split(FILENAME, part, "/")
    tree = part[1]
    room = tree == "include" ? part[3] : part[2]
    piece = FILENAME
    sub(/^.*\//, "", piece)
    sub(/\..*$/, "", piece)
    piece = room "/" piece
    if (!(room in known)) complain("the room " room " is not in the table of " "tools/checks/include_directions.sh")
  }
  tree != "cuda" && /__CUDACC__|__CUDA_ARCH__/ && FILENAME != "include/serval/core/hd.h" {
    complain("asks for the CUDA compiler; only core/hd.h may")
  }
  /^[ \t]*#[ \t]*include[ \t]*["<]/ {
    target = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", target)
    sub(/[">].*$/, "", target)
    if (tree != "cuda" && (target ~ /^cuda\// || target ~ /^(cuda|cudnn|cublas|cufft|curand|thrust|cub\/)/)) {
      complain("includes " target "; CUDA belongs under cuda/")
      next
    }
    # Serval'"'"'s own headers: serval/<room>/..., and src/<room>/... or cuda/<room>/... for private ones.
    if (target !~ /^(serval|src|cuda)\//) next
    split(target, to, "/")
    if ((room, to[2]) in allowed || (piece, to[2]) in allowed) next
    # Every device body uses the device itself.
    if (tree == "cuda" && target ~ /^cuda\/core\//) next
    complain(room " may not include " target)
  }
  END {
    if (faults > 0) {
      printf "include_directions: %d fault%s\n", faults, faults == 1 ? "" : "s"
      exit 1
    }
  }
' "${files[@]}"
echo "include_directions: ${#files[@]} files keep to the table"
