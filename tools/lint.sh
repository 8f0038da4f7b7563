#!/usr/bin/env bash
# Formatting of every source, and clang-tidy of whole rooms: without arguments of those that know no tensor (a minute on two
# cores), else of the rooms that are named, or `all` (a room with tensors takes minutes). Two dozen sources are one unit, as
# in the build; clang's analyzer looks into each.
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files '*.h' '*.cpp' | xargs clang-format --dry-run --Werror
echo "lint: formatting is as .clang-format wants it"

every=(base io metrics text tokenizer core nn models objectives data train infer cli)
rooms=("$@")
[ ${#rooms[@]} -gt 0 ] || rooms=("${every[@]:0:5}")
[ "${rooms[*]}" != all ] || rooms=("${every[@]}")
for room in "${rooms[@]}"; do
  case " ${every[*]} " in
    *" $room "*) ;;
    *) echo "lint: there is no room '$room'; legal: all, ${every[*]}" >&2; exit 2 ;;
  esac
done
# The precompiled header is g++'s; clang reads the headers themselves.
database=build/tidy
cmake -S . -B $database -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON \
  -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=24 >/dev/null
units=()
for room in "${rooms[@]}"; do
  units+=("$database/CMakeFiles/lmzoo_$room.dir/Unity"/*.cxx)
done
printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p $database --checks=-bugprone-suspicious-include \
  --header-filter="/($(IFS='|'; echo "${every[*]}"))/[^.]*\.(h|cpp)\$"
echo "lint: clang-tidy has nothing to say about ${rooms[*]}"
