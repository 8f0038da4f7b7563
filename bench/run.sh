#!/usr/bin/env bash
# Every benchmark, one after the other: the machine, the kernels, and whole steps against transformers (which makes
# .venv-peer, 5 GB, the first time). Run it on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
build/release/lmzoo bench machine
GOMP_SPINCOUNT=20000 build/release/bench/kernels
bench/vs_transformers/run.py build/release/bench/bench_vs_transformers
