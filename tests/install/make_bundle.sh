#!/usr/bin/env bash
# A bundle, recordings of it, and what this build's `serval predict` says of them, for trying packages elsewhere.
#
#   tests/install/make_bundle.sh SERVAL CORPUS FOLDER     CORPUS: the demo corpus; FOLDER is made anew
#
# Writes FOLDER/{demo.bundle,demo.serval,recordings/,expected.jsonl,run/,stores/}; the recordings are named as seen from FOLDER.
set -euo pipefail
serval="$1" corpus="$2" folder="$3"
experiments="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../experiments" && pwd)"

rm -rf "$folder"
mkdir -p "$folder/recordings"
cd "$folder"
export SERVAL_DEMO="$corpus"
"$serval" run "$experiments/demo_lstm.json" --quick --device cpu --threads 2 --quiet --out run --set 'store="stores"' >run.txt
for out in demo.bundle demo.serval; do "$serval" export run --fold 1 --seed 1 --out "$out" --quiet >/dev/null; done
find "$corpus" -name '*.wav' | LC_ALL=C sort | awk 'NR % 97 == 0' | xargs cp -t recordings
"$serval" predict demo.bundle recordings --format jsonl --device cpu --quiet >expected.jsonl
[[ -s expected.jsonl ]]
rm -f run.txt
