#!/usr/bin/env bash
# From a fresh clone to a first result: installs what is missing, builds, makes the demo corpus, and runs an
# actor-wise cross-validation on it.
#
#   tools/quickstart.sh [arguments for `serval run`, such as --device cpu or --set train.epochs=5]
#
# The demo corpus is synthetic speech: its scores show that everything works and nothing more.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
if [[ "${1:-}" == --help || "${1:-}" == -h ]]; then print_help && exit 0; fi

"$SERVAL_ROOT/tools/setup.sh"
configure cpu
build cpu serval serval_demo_corpus

export SERVAL_DEMO="$SERVAL_ROOT/build/demo-corpus"
"$SERVAL_ROOT/build/cpu/serval_demo_corpus" "$SERVAL_DEMO"

say "serval run experiments/demo_lstm.json --out runs/quickstart"
"$SERVAL_ROOT/build/cpu/serval" run "$SERVAL_ROOT/experiments/demo_lstm.json" --out "$SERVAL_ROOT/runs/quickstart" "$@"
say "done in $((SECONDS / 60)) min $((SECONDS % 60)) s; next: README.md, \"A first real experiment\""
