#!/usr/bin/env bash
# Fails one system call of a command, COUNT times at places drawn at random, and looks at what the user gets.
#
#   tests/reliability/syscalls.sh [COUNT] [LMZOO] [SEED]      60, build/release/lmzoo, 1
#
# Right is: exit 0 with the result of an undisturbed command, or exit 2 with one line that names the file (or memory, a
# thread, standard output). Everything else is listed: exit 1, a signal, several lines, another result with exit 0.
# Left out are calls on files below /proc and /sys, which are no files of a disk: libraries read them, and LibTorch's
# cpuinfo ends by SIGSEGV without them. Needs strace. The last line has the figures.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v strace > /dev/null || { [ "$(id -u)" = 0 ] && apt-get install -y strace > /dev/null; } || {
  echo "syscalls.sh needs strace: apt-get install strace" >&2
  exit 2
}
exec python3 tests/reliability/syscalls.py "${1:-60}" "$(realpath "${2:-build/release/lmzoo}")" "${3:-1}"
