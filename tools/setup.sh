#!/usr/bin/env bash
# Installs what lmzoo needs and is missing: Debian packages, and LibTorch when there is none. Safe to repeat and to
# interrupt. `--tests` adds what only the tests use, `--quickstart` what the quickstart reads, `--words` the
# dictionary that configs/word2vec read, `--lint` the formatter and the linter, `--fuzz` the compiler of the fuzzers.
#
# LibTorch is taken, in this order, from LIBTORCH, from CMAKE_PREFIX_PATH, from a torch that python3 can import, and
# else from a torch wheel in the project's own .venv.
set -euo pipefail
cd "$(dirname "$0")/.."

TORCH_VERSION=2.13.0
BUILD_PACKAGES=(build-essential cmake ninja-build ccache libfmt-dev libxxhash-dev libyaml-cpp-dev libboost-program-options-dev
  libsentencepiece-dev libicu-dev nlohmann-json3-dev libgoogle-perftools-dev zlib1g-dev python3 python3-venv)
TEST_PACKAGES=(catch2)
QUICKSTART_PACKAGES=(wordnet-base)
WORDS_PACKAGES=(dict-gcide)
LINT_PACKAGES=(clang-format clang-tidy)
FUZZ_PACKAGES=(clang libclang-rt-dev)

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

packages=("${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}")  # the build configures the tests too
tests=no
for argument in "$@"; do
  case $argument in
    --tests) tests=yes ;;
    --lint) packages+=("${LINT_PACKAGES[@]}") ;;
    --fuzz) packages+=("${FUZZ_PACKAGES[@]}") ;;
    --quickstart) packages+=("${QUICKSTART_PACKAGES[@]}") ;;
    --words) packages+=("${WORDS_PACKAGES[@]}") ;;
    *) die "unknown argument '$argument'; legal: --tests, --quickstart, --words, --lint, --fuzz" ;;
  esac
done

install_packages() {
  local missing=()
  for package in "${packages[@]}"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      missing+=("$package")
    fi
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local command="apt-get install -y --no-install-recommends ${missing[*]}"
  local root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -v 2>/dev/null || die "these packages are missing; run as root: $command"
    root="sudo"
  fi
  say "installing ${missing[*]}"
  $root apt-get update -qq || say "apt-get update failed; trying with the lists at hand"
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $root $command -qq >/dev/null || die "this command failed: $command"
}

missing_without_apt() {
  for tool in cmake ninja g++ python3; do
    command -v "$tool" >/dev/null || die "$tool is missing, and there is no apt-get here; install the equivalents of: ${packages[*]}"
  done
}

# The driver's own file: nvidia-smi may be absent where the driver is there.
has_nvidia_driver() { [ -e /proc/driver/nvidia/version ] || command -v nvidia-smi >/dev/null; }

make_venv() {  # FOLDER
  if ! "$1/bin/python" -m pip --version >/dev/null 2>&1; then
    say "making $1"
    rm -rf "$1"
    # The distribution's Python first: the python3-venv package above is for that one.
    /usr/bin/python3 -m venv "$1" 2>/dev/null || python3 -m venv "$1" || die "python3 -m venv $1 failed; is python3-venv installed?"
  fi
}

pip_install() {  # FOLDER ARGUMENT...
  local folder=$1
  shift
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

install_torch() {
  local given="${LIBTORCH:-}"
  if [ -n "$given" ]; then
    [ -e "$given/lib/libtorch_cpu.so" ] || die "LIBTORCH=$given is not a LibTorch folder: it must hold lib/libtorch_cpu.so"
    say "LibTorch: $given"
    return
  fi
  local prefix
  local prefixes="${CMAKE_PREFIX_PATH:-}"
  for prefix in ${prefixes//[:;]/ }; do
    if [ -e "$prefix/lib/libtorch_cpu.so" ] || [ -e "$prefix/torch/lib/libtorch_cpu.so" ]; then
      say "LibTorch: $prefix"
      return
    fi
  done
  if python3 -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)' 2>/dev/null; then
    say "LibTorch: the torch of $(command -v python3)"
    return
  fi
  # The mark is written last, so an interrupted installation is done again.
  local mark=.venv/torch-$TORCH_VERSION
  [ -e "$mark" ] && return
  make_venv .venv
  if has_nvidia_driver; then
    say "installing torch $TORCH_VERSION with CUDA into .venv (5 GB)"
    pip_install .venv "torch==$TORCH_VERSION"
  else
    # Without a GPU libtorch_cpu.so needs only these two of the CUDA packages.
    say "installing torch $TORCH_VERSION without CUDA into .venv (0.5 GB)"
    pip_install .venv --no-deps "torch==$TORCH_VERSION" nvidia-cuda-runtime nvidia-cuda-cupti
  fi
  touch "$mark"
}

# A folder of its own: the torch of .venv lacks what only Python needs, and pip would complain.
install_test_tools() {
  local mark=.venv-tests/tensorboard-2.20.0
  [ -e "$mark" ] && return
  make_venv .venv-tests
  say "installing tensorboard (a test reads our event files back with it) into .venv-tests"
  pip_install .venv-tests "tensorboard==2.20.0" "setuptools<81" && touch "$mark"
}

if command -v apt-get >/dev/null; then install_packages; else missing_without_apt; fi
install_torch
[ $tests = no ] || install_test_tools
say "ready"
