#!/usr/bin/env bash
# kills.sh COUNT LMZOO: COUNT runs, each interrupted at random moments (kill -9 or SIGTERM, up to 4 times) and resumed to its
# end, which must be that of an uninterrupted run: weights, optimizer and rows of metrics, to the bit.
set -euo pipefail
. "$(dirname "$0")/common.sh"
RANDOM=${SEED:-$$}
configs=(gpt bert t5 classify skipgram)
# run_of CONFIG OUT ARGUMENT...: as train_cmd, of about a second
run_of() {
  train_cmd "$1" "$2" --set train.log_every=7 --set train.save_every=11 --set train.keep_last=2 "${@:3}"
  if [ "$1" = skipgram ]; then train+=(--set train.epochs=400); fi
}

kills=0 terms=0 compared=0
for config in "${configs[@]}"; do
  run_of "$config" "straight-$config"
  "${train[@]}" >/dev/null 2>&1 || lose "$config does not train"
done
for ((i = 0; i < count; ++i)); do
  config=${configs[$((i % ${#configs[@]}))]}
  run=$scratch/run-$i
  run_of "$config" "run-$i" --resume
  for ((again = RANDOM % 4; again >= 0; --again)); do
    "${train[@]}" >/dev/null 2>"$scratch/err" &
    child=$!
    sleep_up_to 999
    if ((RANDOM % 2)); then signal=KILL; else signal=TERM; fi
    if kill -s "$signal" "$child" 2>/dev/null; then
      if [ "$signal" = KILL ]; then kills=$((kills + 1)); else terms=$((terms + 1)); fi
    fi
    code=0
    wait "$child" 2>/dev/null || code=$?
    case $code in
      0 | 137 | 143) ;;
      *) lose "run $i ($config): exit code $code after SIG$signal: $(tail -1 "$scratch/err")" ;;
    esac
  done
  "${train[@]}" >/dev/null 2>"$scratch/err" || lose "run $i ($config) does not resume: $(tail -1 "$scratch/err")"
  compared=$((compared + 1))
  compare "$scratch/straight-$config" "$run" || lose "run $i ($config) is not the uninterrupted one"
  [ "$(leftovers "$run")" = 0 ] || lose "run $i ($config) has temporaries left"
  rm -rf "$run"
done
finish "kills: $kills kill -9 and $terms SIGTERM in $count runs of ${#configs[@]} configurations, $compared ends compared to the bit"
