#!/usr/bin/env bash
# Proves the layers of docs/architecture.md by the includes of every source:
#   cli -> infer -> train -> { models, objectives, data } -> { nn, tokenizer } -> { core, text } -> { io, metrics } -> base
# and the order of the rooms within train. Siblings never include each other, and neither text nor tokenizer knows a
# tensor. Further: yaml-cpp and nlohmann stay in io, Boost in cli, Catch2 behind tests/support/catch.h, no file byte
# reaches an unpickler, LibTorch is seeded by core/device.h, no source has over 400 lines and no function over 80. First
# it proves itself: each planted violation in a copy must be found.
set -euo pipefail
cd "$(dirname "$0")/../.."

layers=(base io metrics text tokenizer core nn data models objectives train infer cli)
# What each may include beside itself.
declare -A sees=(
  [base]="" [io]="base" [metrics]="base"
  [text]="io base" [core]="io metrics base"
  [tokenizer]="text io base" [nn]="core io metrics base"
  [data]="tokenizer text core io metrics base" [models]="nn core io metrics base" [objectives]="nn core io metrics base"
  [train]="data models objectives nn tokenizer text core io metrics base"
  [infer]="train data models objectives nn tokenizer text core io metrics base"
  [cli]="infer train data models objectives nn tokenizer text core io metrics base")
without_torch=(base io metrics text tokenizer)
# The rooms of train: each sees those before it. Optimizers are reached through the registry, by nobody's include.
train_rooms=(yaml saved tune exchange start loop config words run lab)

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
  forbid() {  # FOLDER PATTERN MEANING: no include line below the folder matches
    grep -rnE "^ *# *include *[<\"]$2" --include='*.h' --include='*.cpp' "$1" 2>/dev/null | sed "s|\$|  <- $3|" || true
  }
  for layer in "${layers[@]}"; do
    local forbidden=()
    for other in "${layers[@]}"; do
      [[ " $layer ${sees[$layer]} " == *" $other "* ]] || forbidden+=("$other")
    done
    local pattern="($(IFS='|'; echo "${forbidden[*]-}"))/"
    [ ${#forbidden[@]} = 0 ] || forbid "$layer" "$pattern" "$layer includes $layer ${sees[$layer]} only"
    [ "$layer" = io ] || forbid "$layer" '(yaml-cpp|nlohmann)/' 'only io includes yaml-cpp and nlohmann'
    [ "$layer" = cli ] || forbid "$layer" 'boost/' 'only cli includes Boost'
  done
  local later=("${train_rooms[@]}")
  for room in "${train_rooms[@]}"; do
    later=("${later[@]:1}")
    [ ${#later[@]} = 0 ] || forbid "train/$room" "train/($(IFS='|'; echo "${later[*]}"))/" \
      "rooms of train in order: ${train_rooms[*]}"
    forbid "train/$room" 'train/optimizers/' 'optimizers are reached through the registry'
  done
  forbid train/optimizers "train/($(IFS='|'; echo "${train_rooms[*]}"))/" 'a rule knows core only'
  find train -name '*.h' -o -name '*.cpp' 2>/dev/null | grep -vE "^train/(optimizers|$(IFS='|'; echo "${train_rooms[*]}"))/" |
    sed "s|\$|  <- is in no room of train|" || true
  for layer in "${without_torch[@]}"; do
    forbid "$layer" '(torch|ATen|c10)/' "$layer knows no torch"
    forbid "tests/$layer" '(torch|ATen|c10)/' "tests of $layer know no torch"
    local above=()
    for other in "${layers[@]}"; do
      [[ " $layer io ${sees[$layer]} " == *" $other "* ]] || above+=("$other")
    done
    forbid "tests/$layer" "($(IFS='|'; echo "${above[*]}"))/" "tests of $layer see what it sees, and io to read expected values"
  done
  for layer in "${layers[@]}" tests; do
    forbid "$layer" 'torch/torch\.h' 'torch/torch.h is too large'
    forbid "$layer" 'catch2/' 'Catch2 comes through tests/support/catch.h' | grep -v '^tests/support/catch\.h:' || true
  done
  grep -rnE 'torch::(jit::)?(pickle_)?load\b' --include='*.h' --include='*.cpp' "${layers[@]}" |
    sed 's|$|  <- no file byte reaches an unpickler|' || true
  grep -rnE '\bmanual_seed\(' --include='*.h' --include='*.cpp' "${layers[@]}" |
    sed 's|$|  <- seed_generators of core/device.h asks LibTorch about no accelerator|' || true
  find "${layers[@]}" \( -name '*.h' -o -name '*.cpp' \) -print0 | xargs -0 -r awk "$long_functions"
  find "${layers[@]}" tests \( -name '*.h' -o -name '*.cpp' \) -print0 2>/dev/null |
    xargs -0 -r awk 'FNR == 401 {print FILENAME ": over 400 lines"}'
)

failed=0
planted=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
for layer in "${layers[@]}" tests; do mkdir -p "$copy/$layer"; done
prove() {  # FILE TEXT: offenders must find this text in this file
  planted=$((planted + 1))
  mkdir -p "$copy/$(dirname "$1")"
  printf '%s\n' "$2" >"$copy/$1"
  if [ -z "$(offenders "$copy")" ]; then
    echo "layering: does not find '$2' in $1"
    failed=$((failed + 1))
  fi
  rm "$copy/$1"
}
prove base/x.h '#include "io/files.h"'
prove io/x.cpp '#include "core/batch.h"'
prove io/x.cpp '#include <torch/types.h>'
prove metrics/x.cpp '#include <torch/types.h>'
prove metrics/x.h '#include "io/files.h"'
prove text/x.h '#include "tokenizer/tokenizer.h"'
prove text/x.h '#include "core/batch.h"'
prove tokenizer/x.cpp '#include <torch/types.h>'
prove tokenizer/x.cpp '#include "core/model.h"'
prove core/x.h '#include "text/source.h"'
prove core/x.h '#include "nn/linear.h"'
prove nn/x.h '#include "tokenizer/tokenizer.h"'
prove data/x.cpp '#include "objectives/parts/noise.h"'
prove data/x.cpp '#include "nn/linear.h"'
prove models/x.cpp '#include "data/batches/collate.h"'
prove objectives/x.cpp '#include "models/gpt.h"'
prove train/run/x.cpp '#include "infer/decode/generate.h"'
prove train/yaml/x.cpp '#include <yaml-cpp/yaml.h>'
prove train/yaml/x.h '#include "train/saved/checkpoint.h"'
prove train/saved/x.cpp '#include "train/tune/fine_tune.h"'
prove train/tune/x.h '#include "train/exchange/portable_run.h"'
prove train/exchange/huggingface/x.cpp '#include "train/start/warm_start.h"'
prove train/exchange/huggingface/x.cpp '#include "train/run/assemble.h"'
prove train/start/x.h '#include "train/loop/loop.h"'
prove train/loop/x.h '#include "train/config/run_config.h"'
prove train/config/x.cpp '#include "train/words/train.h"'
prove train/words/x.h '#include "train/run/assemble.h"'
prove train/run/x.cpp '#include "train/lab/sweep.h"'
prove train/run/x.cpp '#include "train/optimizers/parts/gradients.h"'
prove train/optimizers/x.cpp '#include "train/yaml/bind.h"'
prove train/x.cpp 'int in_no_room;'
prove infer/x.cpp '#include "cli/flags.h"'
prove infer/x.cpp '#include <boost/program_options.hpp>'
prove tests/x.cpp '#include <catch2/catch.hpp>'
prove tests/io/x.cpp '#include "core/batch.h"'
prove tests/text/x.cpp '#include <torch/types.h>'
prove data/x.cpp '#include <nlohmann/json.hpp>'
prove train/run/x.cpp 'auto weights = torch::pickle_load(bytes);'
prove train/x.cpp 'at::manual_seed(1);'
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
printf '#include "io/files.h"\n#include "base/check.h"\n' >"$copy/core/good.cpp"
printf '#include "train/yaml/bind.h"\n#include "train/run/plan.h"\n' >"$copy/train/run/good.cpp"
if [ -n "$(offenders "$copy")" ]; then
  echo "layering: finds fault with good sources: $(offenders "$copy")"
  failed=$((failed + 1))
fi

found=$(offenders .)
if [ -n "$found" ]; then
  printf '%s\n' "$found"
  failed=$((failed + $(printf '%s\n' "$found" | wc -l)))
fi
files=$(find "${layers[@]}" -name '*.h' -o -name '*.cpp' | wc -l)
echo "layering: $files sources, $planted planted violations tried"
echo "$((files - failed)) passed, $failed failed"
[ $failed = 0 ]
