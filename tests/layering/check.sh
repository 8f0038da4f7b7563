#!/usr/bin/env bash
# Proves the layers of docs/architecture.md by the includes of every source:
#   cli -> infer -> train -> { models, objectives, data } -> core -> io
# Further: io knows no torch, yaml-cpp stays in io, Boost in cli, Catch2 behind tests/support/catch.h, and no source has
# over 400 lines. First it proves itself: each planted violation in a copy must be found.
set -euo pipefail
cd "$(dirname "$0")/../.."

# offenders FOLDER: prints a line for each violation below FOLDER.
offenders() (
  cd "$1"
  forbid() {  # LAYER PATTERN MEANING: no include line of the layer matches
    grep -rnE "^ *# *include *[<\"]$2" --include='*.h' --include='*.cpp' "$1" 2>/dev/null | sed "s|\$|  <- $3|" || true
  }
  forbid io '(core|data|models|objectives|train|infer|cli)/' 'io includes io only'
  forbid io '(torch|ATen|c10)/' 'io knows no torch'
  forbid core '(data|models|objectives|train|infer|cli)/' 'core includes core and io only'
  forbid data '(models|objectives|train|infer|cli)/' 'data includes data, core and io only'
  forbid models '(data|objectives|train|infer|cli)/' 'models include models, core and io only'
  forbid objectives '(data|models|train|infer|cli)/' 'objectives include objectives, core and io only'
  forbid train '(infer|cli)/' 'train knows neither infer nor cli'
  forbid infer 'cli/' 'infer does not know cli'
  for layer in core data models objectives train infer cli; do
    forbid $layer 'yaml-cpp/' 'only io includes yaml-cpp'
  done
  for layer in io core data models objectives train infer; do
    forbid $layer 'boost/' 'only cli includes Boost'
  done
  for layer in io core data models objectives train infer cli tests; do
    forbid $layer 'torch/torch\.h' 'torch/torch.h is too large'
    forbid $layer 'catch2/' 'Catch2 comes through tests/support/catch.h' | grep -v '^tests/support/catch\.h:' || true
  done
  find io core data models objectives train infer cli tests -name '*.h' -o -name '*.cpp' 2>/dev/null |
    xargs -r awk 'FNR == 401 {print FILENAME ": over 400 lines"}'
)

failed=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
prove() {  # FILE LINE: offenders must find this line in this file
  mkdir -p "$copy/$(dirname "$1")"
  for layer in io core data models objectives train infer cli tests; do mkdir -p "$copy/$layer"; done
  printf '%s\n' "$2" >"$copy/$1"
  if [ -z "$(offenders "$copy")" ]; then
    echo "layering: does not find '$2' in $1"
    failed=$((failed + 1))
  fi
  rm "$copy/$1"
}
prove io/x.cpp '#include "core/rng.h"'
prove io/x.cpp '#include <torch/types.h>'
prove core/x.h '#include "data/loader.h"'
prove data/x.cpp '#include "objectives/noise.h"'
prove models/zoo/x.cpp '#include "data/collate.h"'
prove objectives/x.cpp '#include "models/linear.h"'
prove train/x.cpp '#include "infer/generate.h"'
prove train/x.cpp '#include <yaml-cpp/yaml.h>'
prove infer/x.cpp '#include <boost/program_options.hpp>'
prove tests/x.cpp '#include <catch2/catch.hpp>'
prove cli/x.cpp "$(seq 401)"

found=$(offenders .)
if [ -n "$found" ]; then
  printf '%s\n' "$found"
  failed=$((failed + $(printf '%s\n' "$found" | wc -l)))
fi
files=$(find io core data models objectives train infer cli -name '*.h' -o -name '*.cpp' | wc -l)
echo "layering: $files sources, 11 planted violations"
echo "$((files - failed)) passed, $failed failed"
[ $failed = 0 ]
