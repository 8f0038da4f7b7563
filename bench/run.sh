#!/usr/bin/env bash
# Every benchmark, one after the other: the machine, the kernels, and whole steps against transformers (which makes
# .venv-peer, 5 GB, the first time). Run it on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
for question in --version --help; do
  best=$(for _ in 1 2 3 4 5; do { TIMEFORMAT=%R; time build/release/lmzoo $question >/dev/null; } 2>&1; done | sort -n | head -1)
  echo "lmzoo $question answers in $best s (best of 5; aim: 0.3)"
done
bench/load/run.py build/release/lmzoo
build/release/lmzoo bench machine
bench/cpu_setup/run.py build/release/lmzoo
GOMP_SPINCOUNT=20000 build/release/bench/kernels
bench/vs_transformers/run.py build/release/bench/bench_vs_transformers
