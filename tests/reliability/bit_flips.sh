#!/usr/bin/env bash
# tests/reliability/bit_flips.sh COUNT LMZOO: in every kind of file of an interrupted run COUNT single bits are flipped, one
# at a time; then the run is evaluated, asked and resumed. Each flip must be told (a refusal, a warning) or be harmless:
# every answer and every weight after the resume equal to the bit. A table by file; what is neither is listed with its
# seed (SEED=N repeats it).
set -euo pipefail
cd "$(dirname "$0")"
exec python3 -B bit_flips.py "$1" "$(cd "$OLDPWD" && realpath "$2")"
