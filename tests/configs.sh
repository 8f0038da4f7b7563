#!/usr/bin/env bash
# Every YAML of configs/ passes `lmzoo plan`; every one of configs/debug trains to its end and reaches the loss of
# configs/debug/expected.json (relative difference 1e-3: kernels differ between CPUs).
#
#   tests/configs.sh LMZOO [--record]     --record writes expected.json anew
set -uo pipefail
cd "$(dirname "$0")/.."
lmzoo=$(realpath "$1")
record=${2:-}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0

[ -e corpora/wordnet/train.txt ] || { tools/setup.sh --quickstart && python3 tools/wordnet.py --out corpora/wordnet; } || exit 1
[ -e corpora/gcide/train.txt ] || { tools/setup.sh --words && python3 tools/gcide.py --out corpora/gcide; } || exit 1

# The fine-tuning recipes read a fetched encoder, and data that are not part of the repository.
tools/fetch_minilm.sh || exit 1
skipped=()
for task in sst2 cola; do
  for split in train dev; do
    file=corpora/$task.$split.tsv
    [ -e "$file" ] || cp "../shared/data/$task.$split.tsv" "$file" 2>/dev/null || skipped+=("configs/finetune/${task}_minilm.yaml")
  done
done
is_skipped() { [[ " ${skipped[*]-} " == *" $1 "* ]]; }

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAILED: $*"; }

while IFS= read -r config; do
  if is_skipped "$config"; then echo "skipped: $config (its data are not here)"; continue; fi
  if "$lmzoo" plan "$config" >/dev/null 2>"$out/error"; then ok; else bad "plan $config: $(cat "$out/error")"; fi
done < <(find configs -name '*.yaml' | sort)

: >"$out/losses"
for config in configs/debug/*.yaml; do
  name=$(basename "$config" .yaml)
  if "$lmzoo" train "$config" --out "$out/$name" --set train.threads=2 2>"$out/error" >/dev/null; then
    grep '"kind":"train"' "$out/$name/metrics.jsonl" | tail -n 1 | sed "s/^/$name /" >>"$out/losses"
    ok
  else
    bad "train $config: $(tail -n 3 "$out/error")"
  fi
done

python3 - "$out/losses" configs/debug/expected.json "$record" <<'PYTHON' || failed=$((failed + 1))
import json, sys
losses = {name: json.loads(row)["loss"] for name, row in (line.split(" ", 1) for line in open(sys.argv[1]))}
if sys.argv[3] == "--record":
    json.dump({name: round(loss, 6) for name, loss in sorted(losses.items())}, open(sys.argv[2], "w"), indent=1)
expected = json.load(open(sys.argv[2]))
wrong = [f"{name}: loss {losses.get(name)}, expected {value}" for name, value in expected.items()
         if name not in losses or abs(losses[name] - value) > 1e-3 * abs(value)]
wrong += [f"{name}: no expected loss" for name in losses if name not in expected]
print("\n".join(wrong) if wrong else f"{len(losses)} final losses are the committed ones")
sys.exit(bool(wrong))
PYTHON
echo "$passed passed, $failed failed"
[ $failed = 0 ]
