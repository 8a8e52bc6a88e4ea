# What the scripts beside it have in common; they source it with their own arguments, SERVAL and DEMO_CORPUS first.
serval="$(realpath "$1")"
SERVAL_DEMO="$(realpath "$2")"
export SERVAL_DEMO
small_experiment="$(realpath "$(dirname "${BASH_SOURCE[0]}")/small_experiment.json")"

need_strace() {
  if strace -o /dev/null true 2>/dev/null; then return; fi
  echo "skipped: strace is not installed, or may not trace here"
  exit 77
}

# A folder of its own, gone at the end, with the experiment as x.json.
enter_folder() {
  folder="$(mktemp -d "/tmp/serval-$1-XXXXXX")"
  trap 'rm -rf "$folder"' EXIT
  cd "$folder"
  cp "$small_experiment" x.json
}
