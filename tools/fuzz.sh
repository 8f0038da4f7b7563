#!/usr/bin/env bash
# tools/fuzz.sh [SECONDS [TARGET...]]: every parser of untrusted bytes (or the named ones) under libFuzzer for SECONDS
# each (60), with address, undefined-behavior and leak sanitizers. Stops with an error when an input crashes a parser,
# leaks, takes over a second, or makes it allocate more than its own size and 64 MiB. docs/fuzzing.md says more.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
shift || true
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz >/dev/null || cmake --build --preset fuzz
programs=build/fuzz/tests/fuzz
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  mapfile -t targets < <(cd tests/fuzz && ls -- *_fuzz.cpp | sed 's/_fuzz.cpp$//')
fi

# Inputs are 64 KiB at most: an allocation over 65 MiB is one that the file does not account for.
limits="-timeout=1 -malloc_limit_mb=65 -rss_limit_mb=512"

# Whether the run ended because an input took a second that takes none when it is read again: the machine's doing.
is_hiccup() {  # TARGET FOUND
  local input=("$2"/timeout-*)
  # shellcheck disable=SC2086
  [ -e "${input[0]}" ] && [ "$(ls -A "$2" | wc -l)" = 1 ] && "$programs/fuzz_$1" $limits "${input[0]}" >/dev/null 2>&1 &&
    rm "${input[0]}" && echo "fuzz: $1: stopped by the machine, not by an input"
}

run() {  # TARGET
  local name=$1
  local work=build/fuzz/corpus/$name
  local found=build/fuzz/found/$name
  local log=build/fuzz/$name.log
  mkdir -p "$work" "$found"
  # shellcheck disable=SC2086
  if ! "$programs/fuzz_$name" "$work" "tests/fuzz/corpus/$name" -artifact_prefix="$found/" -max_total_time="$seconds" \
    -max_len=65536 $limits -print_final_stats=1 >"$log" 2>&1 && ! is_hiccup "$name" "$found"; then
    tail -n 40 "$log"
    echo "fuzz: $name FAILED; the input is in $found"
    return 1
  fi
  local runs
  runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
  echo "fuzz: $name: $runs inputs, nothing found"
}
export -f run is_hiccup
export seconds programs limits

printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run {}'
echo "fuzz: ${#targets[@]} parsers, $seconds s each, nothing found"
