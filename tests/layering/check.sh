#!/usr/bin/env bash
# Proves the layers of docs/architecture.md by the includes of every source:
#   cli -> infer -> train -> { models, objectives, data } -> core -> { io, metrics }, and metrics -> io
# Further: io, metrics and their tests know no torch, yaml-cpp and nlohmann stay in io, Boost in cli, Catch2 behind
# tests/support/catch.h, no file byte reaches an unpickler, no source has over 400 lines and no function over 80. First it proves itself: each planted violation in a copy must be found.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Functions at namespace level or in a class: from the line of the name to the closing brace at its indentation.
long_functions='
  FNR == 1 {head = 0; start = 0}
  !start && /^(  )?[A-Za-z~]/ && !/^ *(namespace|class|struct|enum|union|using|public|private|protected)/ {
    match($0, /^ */); indent = RLENGTH; head = FNR
  }
  !start && head && /;$/ {head = 0}
  !start && head && /[{:]$/ {if (/\{$/) start = head; next}
  start && match($0, /^ *\}/) && RLENGTH == indent + 1 {
    if (FNR - start >= 80) print FILENAME ":" start ": a function of " FNR - start + 1 " lines, over 80"
    head = 0; start = 0
  }'

# offenders FOLDER: prints a line for each violation below FOLDER.
offenders() (
  cd "$1"
  forbid() {  # LAYER PATTERN MEANING: no include line of the layer matches
    grep -rnE "^ *# *include *[<\"]$2" --include='*.h' --include='*.cpp' "$1" 2>/dev/null | sed "s|\$|  <- $3|" || true
  }
  forbid io '(metrics|core|data|models|objectives|train|infer|cli)/' 'io includes io only'
  forbid io '(torch|ATen|c10)/' 'io knows no torch'
  forbid metrics '(core|data|models|objectives|train|infer|cli)/' 'metrics includes metrics and io only'
  forbid metrics '(torch|ATen|c10)/' 'metrics knows no torch'
  forbid tests/metrics '(torch|ATen|c10|core|data|models|objectives|train|infer|cli)/' 'tests of metrics see metrics and io only'
  forbid tests/io '(torch|ATen|c10|metrics|core|data|models|objectives|train|infer|cli)/' 'tests of io see io only'
  forbid core '(data|models|objectives|train|infer|cli)/' 'core includes core, metrics and io only'
  forbid data '(models|objectives|train|infer|cli)/' 'data includes data, core and io only'
  forbid models '(data|objectives|train|infer|cli)/' 'models include models, core and io only'
  forbid objectives '(data|models|train|infer|cli)/' 'objectives include objectives, core and io only'
  forbid train '(infer|cli)/' 'train knows neither infer nor cli'
  forbid infer 'cli/' 'infer does not know cli'
  for layer in metrics core data models objectives train infer cli; do
    forbid $layer '(yaml-cpp|nlohmann)/' 'only io includes yaml-cpp and nlohmann'
  done
  for layer in io metrics core data models objectives train infer; do
    forbid $layer 'boost/' 'only cli includes Boost'
  done
  for layer in io metrics core data models objectives train infer cli tests; do
    forbid $layer 'torch/torch\.h' 'torch/torch.h is too large'
    forbid $layer 'catch2/' 'Catch2 comes through tests/support/catch.h' | grep -v '^tests/support/catch\.h:' || true
  done
  grep -rnE 'torch::(jit::)?(pickle_)?load\b' --include='*.h' --include='*.cpp' io metrics core data models objectives train infer cli |
    sed 's|$|  <- no file byte reaches an unpickler|' || true
  find io metrics core data models objectives train infer cli \( -name '*.h' -o -name '*.cpp' \) | xargs -r awk "$long_functions"
  find io metrics core data models objectives train infer cli tests -name '*.h' -o -name '*.cpp' 2>/dev/null |
    xargs -r awk 'FNR == 401 {print FILENAME ": over 400 lines"}'
)

failed=0
planted=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
prove() {  # FILE TEXT: offenders must find this text in this file
  planted=$((planted + 1))
  mkdir -p "$copy/$(dirname "$1")"
  for layer in io metrics core data models objectives train infer cli tests; do mkdir -p "$copy/$layer"; done
  printf '%s\n' "$2" >"$copy/$1"
  if [ -z "$(offenders "$copy")" ]; then
    echo "layering: does not find '$2' in $1"
    failed=$((failed + 1))
  fi
  rm "$copy/$1"
}
prove io/x.cpp '#include "core/rng.h"'
prove io/x.cpp '#include <torch/types.h>'
prove metrics/x.cpp '#include <torch/types.h>'
prove metrics/x.h '#include "core/batch.h"'
prove core/x.h '#include "data/loader.h"'
prove data/x.cpp '#include "objectives/noise.h"'
prove models/zoo/x.cpp '#include "data/collate.h"'
prove objectives/x.cpp '#include "models/linear.h"'
prove train/x.cpp '#include "infer/generate.h"'
prove train/x.cpp '#include <yaml-cpp/yaml.h>'
prove infer/x.cpp '#include <boost/program_options.hpp>'
prove tests/x.cpp '#include <catch2/catch.hpp>'
prove tests/io/x.cpp '#include "core/check.h"'
prove data/x.cpp '#include <nlohmann/json.hpp>'
prove train/x.cpp 'auto weights = torch::pickle_load(bytes);'
prove cli/x.cpp "$(seq 401)"
prove io/x.cpp "void f() {
$(seq 79)
}"
prove io/x.h "class A {
 public:
  A(int a,
    int b) {
$(seq 79)
  }
};"
# What is as it should be is not found.
printf 'namespace a {\n%s\nvoid f() {\n%s\n}\n}\n' "$(seq 81)" "$(seq 78)" >"$copy/io/good.cpp"
printf '#include "io/error.h"\n#include "core/check.h"\n' >"$copy/core/good.cpp"
if [ -n "$(offenders "$copy")" ]; then
  echo "layering: finds fault with good sources: $(offenders "$copy")"
  failed=$((failed + 1))
fi

found=$(offenders .)
if [ -n "$found" ]; then
  printf '%s\n' "$found"
  failed=$((failed + $(printf '%s\n' "$found" | wc -l)))
fi
files=$(find io metrics core data models objectives train infer cli -name '*.h' -o -name '*.cpp' | wc -l)
echo "layering: $files sources, $planted planted violations tried"
echo "$((files - failed)) passed, $failed failed"
[ $failed = 0 ]
