#!/usr/bin/env bash
# What a prediction costs, beside librosa and ONNX Runtime: the multiscale CNN-LSTM with three lengths of segments.
#
#   tools/bench/predict/run.sh SERVAL LIBSERVAL_PREDICT DEMO_CORPUS RECORDING [FOLDER]
#
# Trains the networks on the demo corpus (tools/demo makes it; their sizes are those of the full system and speed does not depend on
# the weights), exports them, cuts RECORDING, any real one, to 3 s as a WAV file, and prints: one warm recording by turns on one thread; the
# command as a whole, with its start and its memory; a folder of 400 copies on one and on two processors by turns. FOLDER, a
# temporary one unless given, keeps the bundle. PYTHON must have librosa, onnxruntime and soundfile; python3 unless set.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../common.sh"
(($# >= 4)) || { print_help && exit 2; }
serval="$(realpath "$1")" library="$(realpath "$2")" demo="$(realpath "$3")" recording="$(realpath "$4")"
folder="${5:-$(mktemp -d)}"
python="${PYTHON:-python3}"
mkdir -p "$folder"
cd "$folder"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1

if [[ ! -e three.bundle ]]; then
  models=""
  for frames in 32 64 128; do
    network="$SERVAL_ROOT/experiments/networks/multiscale_$frames.json"
    models+=",\"t$frames\": {\"input\": {\"features\": \"mel\"}, \"network\": \"$network\"}"
  done
  SERVAL_DEMO="$demo" SERVAL_CORPORA="$demo" "$serval" run "$SERVAL_ROOT/experiments/systems/multiscale/honest.json" --quick \
    --set "models={${models#,}}" --set 'fusion={"rule": "mean"}' --device cpu --out run --quiet >/dev/null
  "$serval" export run --model fusion --fold 1 --out three.bundle --quiet
fi
if ! compgen -G 'network.*.onnx' >/dev/null; then
  "$serval" onnx three.bundle --form network --out network.onnx --python "$python" --quiet
fi
"$python" - "$recording" <<'PYTHON'
import sys
import soundfile
samples, rate = soundfile.read(sys.argv[1], always_2d=True)
soundfile.write("clip.wav", samples[: 3 * rate, 0], rate, "PCM_16")
PYTHON

say "one recording, warm, one thread"
"$python" "$SERVAL_ROOT/tools/bench/predict/compare.py" "$library" three.bundle clip.wav 60 network.*.onnx

say "the command with its start, 30 times"
"$python" - "$serval" <<'PYTHON'
import os
import statistics
import subprocess
import sys
import time
command = [sys.argv[1], "predict", "three.bundle", "clip.wav", "--threads", "1", "--device", "cpu", "--quiet"]
walls, memory = [], 0
for _ in range(30):
    begin = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    walls.append(time.perf_counter() - begin)
    memory = max(memory, usage.ru_maxrss / 1024)
    assert status == 0
print(f"{1e3 * statistics.median(walls):.1f} ms in the middle, {1e3 * max(walls):.1f} at most, memory {memory:.0f} MiB")
PYTHON

say "400 recordings, one processor and two by turns"
mkdir -p copies
for ((i = 0; i < 400; ++i)); do ln -f clip.wav "copies/$i.wav"; done
"$python" - "$serval" <<'PYTHON'
import statistics
import subprocess
import sys
import time
ratios, walls = [], {1: [], 2: []}
for _ in range(7):
    for threads in walls:
        begin = time.perf_counter()
        subprocess.run([sys.argv[1], "predict", "three.bundle", "copies", "--threads", str(threads), "--device", "cpu", "--format",
                        "csv", "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        walls[threads].append(time.perf_counter() - begin)
    ratios.append(walls[1][-1] / walls[2][-1])
for threads, of in walls.items():
    print(f"{threads} processors: {statistics.median(of):.2f} s, {400 / statistics.median(of):.0f} recordings a second")
print(f"ratio {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")
PYTHON
