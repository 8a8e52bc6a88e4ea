#!/usr/bin/env bash
# Workers that die before they begin a trial, one after the other: the sweep says so and ends, in place of starting workers
# for ever; the same command continues it.
#
#   tests/sweep/dead_workers.sh SERVAL DEMO_CORPUS
#
# Ends with code 77, which ctest counts as skipped, without strace or where it may not trace.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_strace
enter_folder dead
fail() {
  echo "FAILED: $*" >&2
  cat messages >&2
  exit 1
}

cat >s.json <<'EOF'
{ "name": "s", "experiment": "x.json", "axes": { "train.optimizer.learning_rate": { "values": [0.003, 0.03] } } }
EOF
sweep=("$serval" sweep s.json --out sweep --device cpu --workers 1 --threads 1)

# A new worker asks for its parent once, before it becomes one; nothing else here does.
code=0
timeout 60 strace -f -o /dev/null -e trace=getppid -e inject=getppid:signal=KILL "${sweep[@]}" >messages 2>&1 || code=$?
[[ "$code" == 1 ]] || fail "ended with $code, not 1"
grep -q "3 workers in a row died (Killed) before they began a trial" messages || fail "does not say why"
grep -q "died (Killed); another one is started" messages || fail "did not start another one"
[[ -z "$(ls sweep/trials)" ]] || fail "a trial has finished"

"${sweep[@]}" >messages 2>&1 || fail "does not continue"
[[ "$(find sweep/trials -name '*.json' | wc -l)" == 2 ]] || fail "not every trial has finished"
echo "dead_workers: told and ended, and continued"
