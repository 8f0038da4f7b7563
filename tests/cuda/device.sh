#!/usr/bin/env bash
# Everything that needs a GPU, in one command of less than six minutes on 16 cores: builds lmzoo against the LibTorch of
# that machine, runs the tests of tests/cuda and the GPU rows of the benches.
#
#   tests/cuda/device.sh --pack      on a machine as tools/setup.sh --tests leaves it: gathers in build/device-pack.tar.xz
#                                    what a machine with a GPU may lack and may not be able to fetch
#   tests/cuda/device.sh [RESULTS]   there, from a copy of this tree with that file: results to RESULTS (default
#                                    build/device-results)
#
# That machine needs a C++ compiler and an importable torch with CUDA (or LIBTORCH=FOLDER), 2.11 or later; nothing is
# installed on it. The pack stands for the packages of tools/setup.sh, and for cmake and ninja where they are missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
pack=build/device-pack.tar.xz
root=$PWD/build/device-root
die() { echo "device.sh: $*" >&2; exit 1; }

# Installed packages of the build, with those of their libraries that programs link.
packed_packages() {
  local pattern='^(libfmt|libxxhash|libyaml-cpp|libboost-program-options|libsentencepiece|libicu|libgoogle-perftools|libtcmalloc-minimal|nlohmann-json3|zlib1g|catch2)'
  dpkg-query -W -f '${Package} ${db:Status-Status}\n' | sed -n 's/ installed$//p' | grep -E "$pattern"
}

# Headers, shared libraries and what find_package reads: no programs, no static libraries.
packed_files() {
  for package in $(packed_packages); do dpkg -L "$package"; done |
    grep -E '^/(usr/)?(include|lib|share/cmake|share/nlohmann)' | grep -vE '\.a$|^/usr/lib/icu/' |
    while IFS= read -r file; do if [ -f "$file" ]; then echo "${file#/}"; fi; done
  # Of Boost's fifteen thousand headers those that are included.
  g++ -x c++ -std=c++20 -M - <<<'#include <boost/program_options.hpp>' | grep -oE 'usr/include/boost/[^ ]*'
  find /usr/lib -ipath '*/cmake/boost*' -type f | sed 's|^/||'
}

make_pack() {
  mkdir -p build
  rm -rf build/device-wheels
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest build/device-wheels 'cmake<4' ninja
  packed_files | sort -u >build/device-files
  tar -cf build/device-pack.tar -C / --files-from "$PWD/build/device-files"
  tar -rf build/device-pack.tar build/device-wheels
  xz --threads=0 --force build/device-pack.tar
  echo "$pack: $(wc -l <build/device-files) files of packages, $(stat -c %s "$pack") bytes"
}

stage() { printf '\n=== %s (after %d s)\n' "$1" $SECONDS; }

use_pack() {
  [ -e "$pack" ] || return 0
  stage "unpack $pack"
  mkdir -p "$root"
  tar -xf "$pack" -C "$root"
  export CMAKE_PREFIX_PATH=$root/usr LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu
  export CPATH=$root/usr/include LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu
  if ! command -v cmake >/dev/null || ! command -v ninja >/dev/null; then
    python3 -m pip install --quiet --disable-pip-version-check --no-index --find-links "$root/build/device-wheels" \
      --target "$root/tools" cmake ninja
    export PATH=$root/tools/bin:$PATH PYTHONPATH=$root/tools${PYTHONPATH:+:$PYTHONPATH}
  fi
}

build() {
  stage "build"
  command -v g++ >/dev/null || command -v clang++ >/dev/null || die "there is no C++ compiler here"
  cmake -S . -B build/device -G Ninja -DCMAKE_BUILD_TYPE=Release
  cmake --build build/device --target lmzoo test_cuda
}

# One JSON object a line: the configuration, the precision, and what `lmzoo bench step` measured.
bench_rows() {
  local config precision figures
  build/device/lmzoo bench machine --device cuda --json >"$results/machine.json" || return 1
  for config in bert gpt t5; do
    for precision in fp32 bf16; do
      figures=$(build/device/lmzoo bench step "configs/pretrain/${config}_wordnet.yaml" --json \
        --set train.device=cuda --set "train.precision=$precision") || return 1
      printf '{"config": "%s", "precision": "%s", "figures": %s}\n' "$config" "$precision" "${figures//$'\n'/ }"
    done
  done >"$results/steps.jsonl"
}

if [ "${1:-}" = --pack ]; then
  make_pack
  exit 0
fi
results=${1:-build/device-results}
mkdir -p "$results"
use_pack
build
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader >"$results/gpu.txt" 2>&1 || true
build/device/lmzoo --version >>"$results/gpu.txt"
stage "tests of tests/cuda"
failed=0
# Named, the device must be there: nothing is skipped.
LMZOO_TEST_DEVICE=cuda build/device/tests/test_cuda --durations yes 2>&1 | tee "$results/tests.txt" || failed=1
stage "GPU rows of the benches"
bench_rows || failed=1
cat "$results/steps.jsonl"
stage "end"
[ $failed = 0 ] || die "something failed; see above and $results"
