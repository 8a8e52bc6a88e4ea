#!/usr/bin/env bash
# Installs what Serval needs from the distribution's packages: Debian 12 or Ubuntu 24.04.
#
#   tools/setup.sh          to build and run Serval, and to make the demo corpus
#   tools/setup.sh --test   also what tools/test.sh needs
#   tools/setup.sh --full   also what tools/test.sh --full needs
#   tools/setup.sh --list   prints the missing packages and installs nothing
#
# Uses apt-get as root or through sudo, and only when something is missing. Where neither is possible it
# names the missing packages and ends with exit code 2.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# package, and how to see that the thing is there when it came another way:
# a program, a pkg-config module (pc:), a header (h:), a file (f:), or a module of Python's (py:).
build_needs="
g++                     g++
cmake                   cmake
ninja-build             ninja
pkg-config              pkg-config
git                     git
libsndfile1-dev         pc:sndfile
libsoxr-dev             pc:soxr
libhdf5-dev             pc:hdf5
nlohmann-json3-dev      h:nlohmann/json.hpp
libxxhash-dev           pc:libxxhash
libkissfft-dev          h:kissfft/kissfft.hh
zlib1g-dev              pc:zlib
libsvm-dev              h:libsvm/svm.h
liblinear-dev           h:linear.h
libopencv-ml-dev        h:opencv4/opencv2/ml.hpp
libboost-dev            h:boost/math/distributions/students_t.hpp
libcli11-dev            h:CLI/CLI.hpp
portaudio19-dev         pc:portaudio-2.0
libgtest-dev            h:gtest/gtest.h
libgmock-dev            h:gmock/gmock.h
espeak-ng               espeak-ng
gnuplot-nox             gnuplot
libjs-chart.js          f:/usr/share/javascript/chart.js/chart.min.js
"
test_needs="
ccache                  ccache
clang-format-14         clang-format-14
tidy                    tidy
clang-14                clang++-14
libclang-rt-14-dev      f:/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a
slurm-wlm               slurmctld
munge                   munged
strace                  strace
python3-venv            py:ensurepip
"
# A browser for the pages' tests, which say so where there is none. Ubuntu has it as a snap, which containers cannot install.
if grep -qs '^ID=debian' /etc/os-release; then
  test_needs+="chromium                chromium
"
fi
full_needs="
clang-tidy-14           clang-tidy-14
debootstrap             debootstrap
dpkg-dev                dpkg-shlibdeps
patchelf                patchelf
"

needs="$build_needs"
list_only=no
for argument in "$@"; do
  case "$argument" in
    --test) needs="$build_needs$test_needs" ;;
    --full) needs="$build_needs$test_needs$full_needs" ;;
    --list) list_only=yes ;;
    --help | -h) print_help && exit 0 ;;
    *) die "unknown argument '$argument'; see --help" 2 ;;
  esac
done

has_header() {
  local folder
  for folder in /usr/include "/usr/include/$(uname -m)-linux-gnu" /usr/local/include; do
    if [[ -e "$folder/$1" ]]; then return 0; fi
  done
  return 1
}

present() {
  local package="$1" probe="$2"
  if command -v dpkg-query >/dev/null &&
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]]; then
    return 0
  fi
  case "$probe" in
    pc:*) command -v pkg-config >/dev/null && pkg-config --exists "${probe#pc:}" ;;
    h:*) has_header "${probe#h:}" ;;
    f:*) [[ -e "${probe#f:}" ]] ;;
    py:*) python3 -c "import ${probe#py:}" 2>/dev/null ;;
    *) command -v "$probe" >/dev/null ;;
  esac
}

missing_packages() {
  local package probe
  while read -r package probe; do
    if [[ -n "$package" ]] && ! present "$package" "$probe"; then echo "$package"; fi
  done <<<"$needs"
}

# As root directly; otherwise through sudo, which may ask for a password only where somebody can answer.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif sudo -n true 2>/dev/null || [[ -t 0 ]]; then
    sudo "$@"
  fi
}
can_be_root() {
  ((EUID == 0)) || { command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; }
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >&2; }
# One source of several may fail to answer without harm; whether the packages can be had shows at the install.
refresh_lists() { apt update || say "apt-get update reported errors; going on with the lists at hand"; }
lists_are_fresh() { [[ -n "$(find /var/lib/apt/lists -name '*_Packages*' -mtime -1 -print -quit 2>/dev/null)" ]]; }

read -ra missing <<<"$(missing_packages | tr '\n' ' ')"
if [[ "$list_only" == yes ]]; then
  if ((${#missing[@]} > 0)); then printf '%s\n' "${missing[@]}"; fi
  exit 0
fi
if ((${#missing[@]} > 0)); then
  if ! command -v apt-get >/dev/null || ! can_be_root; then
    die "these packages (Debian's names) are missing, and apt-get as root is not at hand to install them: ${missing[*]}" 2
  fi
  say "installing ${missing[*]}"
  if ! lists_are_fresh; then refresh_lists; fi
  apt install --yes --no-install-recommends "${missing[@]}" || {
    refresh_lists
    apt install --yes --no-install-recommends "${missing[@]}"
  } || die "apt-get could not install: ${missing[*]}" 2
  read -ra missing <<<"$(missing_packages | tr '\n' ' ')"
  if ((${#missing[@]} > 0)); then die "still missing after apt-get: ${missing[*]}" 2; fi
fi

cmake_version="$(cmake --version | awk 'NR == 1 { print $3 }')"
if [[ "$(printf '%s\n' 3.25 "$cmake_version" | sort -V | head -n 1)" != 3.25 ]]; then
  die "CMake $cmake_version is too old; 3.25 or newer is needed (Debian 12 and Ubuntu 24.04 have it)" 2
fi
say "everything that is needed is installed"
