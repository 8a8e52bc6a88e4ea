#!/usr/bin/env bash
# Sources are formatted as .clang-format says, by clang-format 14 (other versions format differently).
#
#   tools/checks/format.sh         names what differs
#   tools/checks/format.sh --fix   rewrites it
#
# Ends with exit code 77, "not run", where clang-format 14 is not installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

formatter=""
for candidate in clang-format-14 clang-format; do
  if command -v "$candidate" >/dev/null && [[ "$("$candidate" --version)" =~ version\ 14\. ]]; then
    formatter="$candidate"
    break
  fi
done
if [[ -z "$formatter" ]]; then
  echo "format: NOT RUN: clang-format 14 is not installed (tools/setup.sh --test installs it)"
  exit 77
fi

mapfile -t files < <(find include src cuda tools tests -type f \
  \( -name '*.h' -o -name '*.cc' -o -name '*.cu' -o -name '*.cuh' \) | sort)
if [[ "${1:-}" == --fix ]]; then
  "$formatter" -i "${files[@]}"
  echo "format: ${#files[@]} files rewritten where needed"
elif "$formatter" --dry-run --Werror "${files[@]}"; then
  echo "format: ${#files[@]} files are formatted"
else
  echo "format: run tools/checks/format.sh --fix"
  exit 1
fi
