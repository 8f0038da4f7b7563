#!/usr/bin/env bash
# Formatting of every source, and clang-tidy of the given files; without arguments of the units that know no torch
# (seconds each) and of those that differ from main, unless there are many (a unit with torch takes about a minute).
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files '*.h' '*.cpp' | xargs clang-format --dry-run --Werror
echo "lint: formatting is as .clang-format wants it"

files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
  mapfile -t changed < <(git diff --name-only --diff-filter=d "$base" -- '*.cpp' ':!tests' ':!bench')
  if [ ${#changed[@]} -gt 20 ]; then
    echo "lint: ${#changed[@]} units differ from main: clang-tidy takes only those without torch; name others to check them"
    changed=()
  fi
  mapfile -t files < <({ git ls-files 'io/*.cpp' 'metrics/*.cpp' base/rng.cpp base/fields.cpp; printf '%s\n' "${changed[@]}"; } | sed '/^$/d' | sort -u)
fi
# The precompiled header is g++'s; clang reads the headers themselves.
database=build/tidy
cmake -S . -B $database -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 2 clang-tidy --quiet -p $database
echo "lint: clang-tidy has nothing to say about ${#files[@]} files"
