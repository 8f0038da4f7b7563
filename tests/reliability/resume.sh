#!/usr/bin/env bash
# resume.sh COUNT LMZOO: COUNT rounds of the variants of a resume. A run is stopped after a random checkpoint, something
# about it changes, and it goes on: to the end of the uninterrupted run where the change is none of its inputs, else with a
# refusal (exit code 2) that leaves the folder as it was.
set -euo pipefail
. "$(dirname "$0")/common.sh"
RANDOM=${SEED:-$$}
settings=(--set train.log_every=7 --set train.save_every=10 --set train.keep_last=3)
text=$scratch/text.txt
cp configs/debug/data/train.txt "$text"
settings+=(--set "data.train.files=[$text]" --set 'tokenizer={type: byte_bpe, vocab_size: 300, sentinels: 0}')

train_cmd gpt straight "${settings[@]}"
"${train[@]}" >/dev/null 2>&1 || lose "gpt does not train"
train_cmd gpt other "${settings[@]}" --set "data.train.files=[configs/debug/data/valid.txt]"
"${train[@]}" >/dev/null 2>&1 || lose "gpt does not train on another text"

# stopped_run CHECKPOINTS: stops a run after that many checkpoints
stopped_run() {
  train_cmd gpt run "${settings[@]}"
  rm -rf "$scratch/run"
  "${train[@]}" >/dev/null 2>&1 &
  local child=$! step=$((10 * $1))
  until [ -d "$scratch/run/checkpoints/step-00000$step" ] || ! kill -0 "$child" 2>/dev/null; do sleep 0.01; done
  kill -KILL "$child" 2>/dev/null || true
  wait "$child" 2>/dev/null || true
  [ -n "$(newest "$scratch/run")" ] || { echo "no checkpoint was made" >&2; exit 1; }
  train_cmd gpt run "${settings[@]}" --resume
}
state_of() { (cd "$1" && find . -type f ! -name .lock -exec sha1sum {} + | sort); }

same=0 refused=0
goes_on() {  # NAME ARGUMENT...
  "${train[@]}" "${@:2}" >/dev/null 2>"$scratch/err" || lose "$1: $(tail -1 "$scratch/err")"
  if compare "$scratch/straight" "$scratch/run"; then same=$((same + 1)); else lose "$1: not the uninterrupted run"; fi
}
is_refused() {  # NAME PATTERN ARGUMENT...
  local before code=0
  before=$(state_of "$scratch/run")
  "${train[@]}" "${@:3}" >/dev/null 2>"$scratch/err" || code=$?
  if [ "$code" = 2 ] && grep -q "$2" "$scratch/err"; then
    refused=$((refused + 1))
  else
    lose "$1: exit code $code: $(tail -1 "$scratch/err")"
  fi
  [ "$before" = "$(state_of "$scratch/run")" ] || lose "$1: the folder was changed"
}
flip_bit() {  # FILE: one bit at a random place
  local at=$((RANDOM * 32768 + RANDOM)) size byte
  size=$(stat -c %s "$1")
  at=$((at % size))
  byte=$(od -An -tu1 -j "$at" -N 1 "$1")
  printf "\\x$(printf %02x $((byte ^ (1 << (RANDOM % 8)))))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

for ((i = 0; i < count; ++i)); do
  stopped_run $((1 + RANDOM % 2))
  goes_on 'as it is'
  goes_on 'finished already'
  stopped_run $((1 + RANDOM % 2))
  goes_on 'with other workers' --set data.workers=0
  stopped_run $((1 + RANDOM % 2))
  rm -rf "$scratch/cache"
  goes_on 'without its cache'
  stopped_run $((1 + RANDOM % 2))
  touch "$text"
  cp "$text" "$scratch/again" && mv "$scratch/again" "$text"
  goes_on 'with its text written again'
  stopped_run $((1 + RANDOM % 2))
  mkdir -p "$scratch/run/checkpoints/.step-0000099.tmp-0123456789abcdef"
  goes_on 'with what a killed write left'
  [ "$(leftovers "$scratch/run")" = 0 ] || lose 'a leftover stays'
  stopped_run 2
  flip_bit "$(newest "$scratch/run")/model.safetensors"
  goes_on 'with a damaged newest checkpoint'
  grep -q 'is damaged and passed over' "$scratch/err" || lose 'damage was not told'
  stopped_run 1
  is_refused 'another rate' 'optimizer.lr is' --set optimizer.lr=0.01
  echo 'one more line' >>"$text"
  is_refused 'another text' 'the training text is another'
  cp configs/debug/data/train.txt "$text"
  mv "$scratch/run/tokenizer" "$scratch/run/manifest.json" "$scratch"
  cp -r "$scratch/other/tokenizer" "$scratch/run"
  is_refused 'another tokenizer' 'the tokenizer is another'
  rm -r "$scratch/run/tokenizer"
  mv "$scratch/tokenizer" "$scratch/manifest.json" "$scratch/run"
  for name in config.yaml manifest.json $(cd "$scratch/run" && find tokenizer -type f); do
    cp "$scratch/run/$name" "$scratch/good"
    flip_bit "$scratch/run/$name"
    is_refused "a flipped bit of $name" "$scratch/run/"
    cp "$scratch/good" "$scratch/run/$name"
  done
  goes_on 'after all refusals'
done
finish "resume variants: $count rounds, $same went on to the same bits, $refused refused with nothing changed"
