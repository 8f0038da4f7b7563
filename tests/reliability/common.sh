# What the scripts of this folder share: a run of a second in a scratch folder, and how two of them are compared.
# Sourced after `set -euo pipefail`, with the arguments of the script: COUNT LMZOO.
count=${1:?usage: $0 COUNT LMZOO}
lmzoo=$(realpath "${2:?usage: $0 COUNT LMZOO}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OMP_NUM_THREADS=1

lost=0
lose() {  # MESSAGE: something was lost; the script goes on and fails at its end
  echo "LOST: $*" >&2
  lost=$((lost + 1))
}

# train_cmd CONFIG OUT ARGUMENT...: sets `train` to the command of a run in $scratch/OUT
train_cmd() {
  train=("$lmzoo" train "configs/debug/$1.yaml" --out "$scratch/$2" --set "data.cache_dir=$scratch/cache" \
    --set train.threads=1 --set train.device=cpu "${@:3}")
}

# The newest checkpoint of a run; empty without one.
newest() { find "$1/checkpoints" -maxdepth 1 -name 'step-*' 2>/dev/null | sort | tail -1; }

# Rows of metrics without what the clock says.
rows() {
  sed -E 's/,"(tokens_per_s|target_tokens_per_s|flops_per_s|memory_bytes|seconds)":[^,}]*//g' "$1/metrics.jsonl"
}

# compare A B: 0 when weights, optimizer and metrics of both runs are equal to the bit
compare() {
  local a b
  a=$(newest "$1")
  b=$(newest "$2")
  [ -n "$a" ] && [ "$(basename "$a")" = "$(basename "${b:-none}")" ] &&
    cmp -s "$a/model.safetensors" "$b/model.safetensors" &&
    cmp -s "$a/optimizer.safetensors" "$b/optimizer.safetensors" && [ "$(rows "$1")" = "$(rows "$2")" ]
}

# Temporaries that nobody owns any more.
leftovers() { find "$1" -name '.*.tmp-*' 2>/dev/null | wc -l; }

# sleep_up_to MILLISECONDS
sleep_up_to() { sleep "$(printf '0.%03d' $((RANDOM % $1)))"; }

finish() {  # FIGURES
  echo "$*, $lost lost"
  [ "$lost" = 0 ]
}
