#!/usr/bin/env bash
# `serval features` on many short recordings: how long it takes, that memory stays flat, and that killed twice
# with SIGKILL and continued it gives the same bytes.
#
# tools/bench/many_clips.sh [COUNT [FOLDER [BUILD]]]
#   COUNT   recordings of half a second at 16 kHz; 200000
#   FOLDER  a new folder for recordings and stores, deleted at the end: about 55 KB a recording
#   BUILD   where serval and serval_many_clips are; build/cpu
set -euo pipefail
count=${1:-200000}
folder=${2:-/var/tmp/serval-many-clips-$$}
build=$(cd "${3:-build/cpu}" && pwd)
[ ! -e "$folder" ] || { echo "$folder: is there already; name a new folder" >&2; exit 2; }
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"

shards() { find "$1" -maxdepth 1 -name "$2-*.[0-9]*.h5" 2>/dev/null | wc -l; }
status() { awk -v f="$2:" '$1 == f { print int($2 / 1024) }' "/proc/$1/status" 2>/dev/null || true; }
now() { date +%s.%N; }

# Starts `serval features` into the store $1 and follows it: a line a look in $1.memory with seconds, shards of
# audio and features, resident and peak MiB. Kills it when there are $3 shards of kind $2.
run() {
  local store=$1 kind=${2:-} most=${3:-0} start pid peak=0 killed=no line
  start=$(now)
  "$build/serval" features "$folder/many_clips.json" --device cpu --set "store=\"$store\"" \
    > "$store.out" 2>> "$store.log" &
  pid=$!
  : > "$store.memory"
  while kill -0 "$pid" 2>/dev/null; do
    line="$(status "$pid" VmRSS) $(status "$pid" VmHWM)"
    if [ "${line% *}" != "" ]; then
      echo "$(now) $(shards "$store" audio) $(shards "$store" features) $line" >> "$store.memory"
      peak=${line#* }
    fi
    if [ -n "$kind" ] && [ "$killed" = no ] && [ "$(shards "$store" "$kind")" -ge "$most" ]; then
      sleep 0.3  # into the middle of the next one
      kill -KILL "$pid" 2>/dev/null && killed=yes
    fi
    sleep 0.1
  done
  local code=0
  { wait "$pid" || code=$?; } 2> /dev/null  # bash speaks of killed ones
  awk -v s="$start" -v e="$(now)" -v c="$code" -v p="$peak" -v k="$killed" 'BEGIN {
    printf "  %.1f s, peak memory %d MiB, %s\n", e - s, p, k == "yes" ? "killed with SIGKILL" : "exit code " c }'
  [ "$killed" = yes ] || [ "$code" -eq 0 ] || { tail -3 "$store.log" >&2; exit 1; }
}

echo "$count recordings of 0.5 s"
"$build/serval_many_clips" "$folder" "$count" 2> /dev/null
sync -f "$folder"

echo "uninterrupted:"
run "$folder/whole"
grep -hE "recordings decoded|values computed" "$folder/whole.log" | sed "s|$folder/||; s/^/  /"
audio=$(shards "$folder/whole" audio)
features=$(shards "$folder/whole" features)
echo "  $audio shards of audio, $features of features, $(du -sm "$folder/whole" | cut -f1) MiB"
for quarter in 1 2 3 4; do
  awk -v q="$quarter" -v a="$audio" -v f="$features" '
    !da && $2 >= a * q / 4 { da = 1; ra = $4; pa = $5 }
    !df && $3 >= f * q / 4 && $2 >= a { df = 1; rf = $4; pf = $5 }
    END { printf "  at %3d %%: decoding %d MiB (peak %d), features %d MiB (peak %d)\n", 25 * q, ra, pa, rf, pf }
  ' "$folder/whole.memory"
done

echo "killed in the middle of decoding, and in the middle of the features, then continued:"
run "$folder/parts" audio $(( (audio + 1) / 2 ))
run "$folder/parts" features $(( (features + 1) / 2 ))
run "$folder/parts"
grep -hE "in the store already" "$folder/parts.log" | sed 's/^/  /'

echo "a second run, from the stores:"
run "$folder/whole"

# All but the seals, which hold the time.
different=0
for file in "$folder"/whole/*; do
  cmp -s -i 512 "$file" "$folder/parts/${file##*/}" || { echo "differs: ${file##*/}"; different=1; }
done
[ "$(ls "$folder/whole" | wc -l)" -eq "$(ls "$folder/parts" | wc -l)" ] || { echo "other files"; different=1; }
"$build/serval" store verify "$folder/parts" > /dev/null
[ "$different" -eq 0 ] && echo "the continued stores have the bytes of the uninterrupted ones"
exit "$different"
