#!/usr/bin/env bash
# tests/reliability/mutants.sh SECONDSs|COUNT LMZOO: files that lmzoo itself makes (runs, published folders, tokenizers,
# YAML, tables, word vectors) are damaged at random, and a command that reads them is asked. It must give a result, or
# one line and exit 2; what does neither (exit 1, a signal, no end, several lines) is listed with its seed.
#
#   tests/reliability/mutants.sh 60s build/release/lmzoo           for a minute
#   SEED=123 tests/reliability/mutants.sh 1 build/release/lmzoo    one again
set -euo pipefail
cd "$(dirname "$0")"
exec python3 -B mutants.py "$1" "$(cd "$OLDPWD" && realpath "$2")"
