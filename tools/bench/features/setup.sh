#!/usr/bin/env bash
# Makes a throw-away virtual environment with the programs that compare.py times, and says which versions it got.
#
#   tools/bench/features/setup.sh [FOLDER]     default build/bench-python; delete it when done
#   FOLDER/bin/python tools/bench/features/compare.py
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)"
folder="${1:-$root/build/bench-python}"

"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --upgrade pip
"$folder/bin/python" -m pip install --quiet numpy soundfile soxr librosa torch torchaudio kaldi-native-fbank opensmile
"$folder/bin/python" -m pip list --format=freeze | grep -iE '^(numpy|scipy|numba|librosa|torch|torchaudio|kaldi-native-fbank|opensmile|soxr|soundfile)=='
