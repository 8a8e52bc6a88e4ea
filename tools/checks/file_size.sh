#!/usr/bin/env bash
# One idea a file: a file over 400 lines is named, one over 800 fails.
#
#   tools/checks/file_size.sh [ROOT]
set -euo pipefail
cd "${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"

found="$(find include src cuda tools tests cmake CMakeLists.txt -type f \
  \( -name '*.h' -o -name '*.cc' -o -name '*.cu' -o -name '*.cuh' -o -name '*.sh' -o -name '*.py' -o -name '*.cmake' \
  -o -name CMakeLists.txt \) -exec awk '
  END {
    if (FNR > 800) printf "%s: %d lines; 800 is the limit, split it\n", FILENAME, FNR
    else if (FNR > 400) printf "%s: %d lines; over 400, worth a look\n", FILENAME, FNR
  }' {} \; | sort)"
if [[ -n "$found" ]]; then echo "$found"; fi
if [[ "$found" == *"split it"* ]]; then exit 1; fi
echo "file_size: no file is over 800 lines"
