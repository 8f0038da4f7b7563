#!/usr/bin/env bash
# tests/reliability/cost.sh LMZOO: hostile inputs of 1 MB (deep JSON and YAML, 50,000 labels, braces, labels of 30 KB, a single
# line, long arguments) must be refused in one line, within a second of a processor and 64 MiB beyond their size. What the
# program needs to refuse a missing file is not counted.
set -euo pipefail
cd "$(dirname "$0")"
exec python3 -B cost.py "$(cd "$OLDPWD" && realpath "$1")"
