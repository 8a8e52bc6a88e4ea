#!/usr/bin/env bash
# Packs what a machine with a GPU needs to test and time Serval into one folder, for machines that reach no
# package registry and are paid for by the minute. Everything is built here, so that there one command is
# all it costs:
#
#   tools/gpu/pack.sh FOLDER                      here; FOLDER must not exist yet; also makes FOLDER.tar.xz, which travels
#   tar -xf FOLDER.tar.xz                         there
#   OUT=results bash FOLDER/run.sh                there
#
#   --build DIR    packs what DIR holds instead of building build/gpu (preset cuda, for sm_90 alone)
#   --corpus DIR   also packs that demo corpus (serval_demo_corpus makes it); run.sh then times an experiment on it
#   --limit MIB    the most that the archive may hold, default 64
#
# In the folder: bin/ with the programs that have GPU tests, serval and the benchmarks; lib/ with the libraries
# they need. CUDA, cuBLAS, cuFFT and cuDNN are left out: that machine has its own.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

limit_mib=64
build_folder=""
corpus=""
folder=""
while (($# > 0)); do
  case "$1" in
    --help | -h) print_help && exit 0 ;;
    --build) build_folder="${2:?--build needs a folder}" && shift ;;
    --corpus) corpus="${2:?--corpus needs a folder}" && shift ;;
    --limit) limit_mib="${2:?--limit needs a number}" && shift ;;
    -*) die "unknown option $1; see --help" 2 ;;
    *) [[ -z "$folder" ]] || die "one folder, not two: $folder and $1" 2 && folder="$1" ;;
  esac
  shift
done
[[ -n "$folder" ]] || die "which folder? see --help" 2
[[ ! -e "$folder" && ! -e "$folder.tar.xz" ]] || die "$folder or $folder.tar.xz exists; name a new folder" 2
[[ -z "$corpus" || -d "$corpus" ]] || die "--corpus $corpus is no folder" 2

if [[ -z "$build_folder" ]]; then
  build_folder="$SERVAL_ROOT/build/gpu"
  configure cuda -B "$build_folder" -DCMAKE_CUDA_ARCHITECTURES=90-real
  build gpu
fi
[[ -d "$build_folder/tests" ]] || die "$build_folder holds no tests; build it first" 2

# A folder that is not whole does not stay.
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/bin" "$folder/lib"
cp "$SERVAL_ROOT/tools/gpu/run.sh" "$folder/"

has_gpu_tests() { [[ "$("$1" --gtest_list_tests 2>/dev/null)" == *$'\n'Devices/* ]]; }

shopt -s nullglob
tests=0
for program in "$build_folder"/tests/test_*; do
  [[ -f "$program" && -x "$program" ]] || continue
  has_gpu_tests "$program" || continue
  cp "$program" "$folder/bin/"
  tests=$((tests + 1))
done
((tests > 0)) || die "$build_folder/tests: no test program has GPU tests"
# A build of some rooms alone has no program.
for program in "$build_folder"/serval "$build_folder"/serval_*bench; do
  if [[ -x "$program" ]]; then cp "$program" "$folder/bin/"; fi
done
strip --strip-debug "$folder"/bin/*  # names stay, for backtraces

# What the programs ask for by name, and where this machine has it. The C and C++ runtimes stay behind: they
# must be the ones of that machine's loader, and an older build runs on newer ones.
: >"$folder/cuda_libraries.txt"
for program in "$folder"/bin/*; do
  while read -r name path; do
    case "$name" in
      libcuda* | libcublas* | libcufft* | libcudnn*) echo "$name" >>"$folder/cuda_libraries.txt" ;;
      ld-linux* | libc.so* | libm.so* | libdl.so* | libpthread.so* | librt.so* | libgcc_s.so* | libstdc++.so*) ;;
      *)
        [[ "$path" == /* ]] || die "$program needs $name, which this machine does not have"
        cp --update "$path" "$folder/lib/$name"
        ;;
    esac
  done < <(ldd "$program" | awk '$2 == "=>" { print $1, $3 }')
done
sort -u -o "$folder/cuda_libraries.txt" "$folder/cuda_libraries.txt"

# Files that the tests read, and the path at which they were compiled to look for them.
mkdir -p "$folder/source/tests"
echo "$SERVAL_ROOT" >"$folder/source_path.txt"
for part in data experiments tests/golden tools/bench/train; do
  if [[ -d "$SERVAL_ROOT/$part" ]]; then
    mkdir -p "$folder/source/$(dirname "$part")"
    cp -R "$SERVAL_ROOT/$part" "$folder/source/$part"
  fi
done
if [[ -n "$corpus" ]]; then cp -R "$corpus" "$folder/corpus"; fi

tar -cJf "$folder.tar.xz" -C "$(dirname "$folder")" "$(basename "$folder")"
size_mib="$(du -sm "$folder.tar.xz" | cut -f1)"
if ((size_mib > limit_mib)); then
  du -a -m "$folder" | sort -rn | sed -n 1,12p >&2
  rm "$folder.tar.xz"
  die "$folder makes an archive of $size_mib MiB; at most $limit_mib may travel"
fi
trap - EXIT
say "$folder.tar.xz: $tests test programs, $size_mib MiB. There, once unpacked: OUT=results bash $(basename "$folder")/run.sh"
