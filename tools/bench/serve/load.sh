#!/usr/bin/env bash
# Streams of many clients to `serval serve` on this machine, every answer checked; then the server is killed and started again.
#
#   tools/bench/serve/load.sh BUNDLE RECORDING [CLIENTS [SECONDS [WINDOW_S [HOP_S]]]]
#
# BUILD names the build's folder (build/cpu).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)"
build="${BUILD:-$here/build/cpu}"
bundle="$1" recording="$2" clients="${3:-100}"
scratch="$(mktemp -d)"
server=
trap '[[ -z "$server" ]] || kill -9 "$server" 2>/dev/null; rm -rf "$scratch"' EXIT

start() { # port
  rm -f "$scratch/out"
  "$build/serval" serve "$bundle" --device cpu --quiet --port "$1" --max-streams 5000 --max-connections 5000 >"$scratch/out" &
  server=$!
  until grep -qs serving "$scratch/out"; do kill -0 "$server" && sleep 0.01; done
  port="$(sed -n 's,.*:\([0-9]*\)/$,\1,p' "$scratch/out")"
}

ulimit -n "$(ulimit -Hn)"
start 0
code=0
"$build/serval_serve_load" "$port" "$bundle" "$recording" "$clients" "${@:4}" || code=$?

kill -9 "$server"
{ wait "$server" || true; } 2>/dev/null
began="$(date +%s.%N)"
start "$port"
curl --silent --fail --data-binary "@$recording" "http://127.0.0.1:$port/predict" >/dev/null
echo "killed and started again: $(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { printf "%.3f", b - a }') s to the first scores"
kill -TERM "$server"
wait "$server"
server=
exit "$code"
