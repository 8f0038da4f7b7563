#!/usr/bin/env bash
# The main job on real text: pre-trains three families on WordNet's glosses, fine-tunes each on 2,000 labeled ones from
# the pre-trained weights and from scratch, and writes a report. Goes on where it was interrupted.
#
#   tools/quickstart.sh [full|small] [LMZOO]
set -euo pipefail
cd "$(dirname "$0")/.."

size=${1:-full}
lmzoo=${2:-build/release/lmzoo}
out=runs/quickstart-$size
families=(bert gpt t5)
case $size in
  full) seeds=(1 2 3); pretrain=(); finetune=() ;;
  small)
    seeds=(1); pretrain=(--set train.steps=120 --set schedule.warmup_steps=20 --set eval.every=40)
    finetune=(--set train.steps=120) ;;
  *) echo "quickstart: unknown size '$size'; legal: full, small" >&2; exit 2 ;;
esac

python3 tools/wordnet.py --out corpora/wordnet

train() {  # CONFIG RUN [--set ...]: a finished run is left as it is, an interrupted one goes on
  local config=$1 run=$2
  shift 2
  echo "== $(basename "$run")" >&2
  "$lmzoo" train "$config" --out "$run" --resume "$@"
}

begin=$(date +%s)
for family in "${families[@]}"; do
  train configs/pretrain/${family}_wordnet.yaml "$out/$family" "${pretrain[@]}"
done
for family in "${families[@]}"; do
  for seed in "${seeds[@]}"; do
    train configs/finetune/${family}_lexname.yaml "$out/$family-tuned-$seed" "${finetune[@]}" \
      --set seed="$seed" --set warm_start.from="$out/$family"
    train configs/finetune/${family}_lexname.yaml "$out/$family-scratch-$seed" "${finetune[@]}" --set seed="$seed"
  done
done
echo "quickstart: training took $(($(date +%s) - begin)) s in this call" >&2

python3 tools/quickstart_results.py "$lmzoo" "$out" "${seeds[@]}"
"$lmzoo" report "$out"/{bert,gpt,t5} "$out"/*-tuned-1 "$out"/*-scratch-1 --results "$out/results.json" --out "$out/report.html"
echo "quickstart: open $out/report.html"
