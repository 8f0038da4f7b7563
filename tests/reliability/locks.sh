#!/usr/bin/env bash
# locks.sh COUNT LMZOO: COUNT races of 4 trainers for one run folder, every second of them in PID and mount namespaces of
# their own where that is permitted. In each race one trains and the others are refused by host and process; the end is that
# of a run alone.
set -euo pipefail
. "$(dirname "$0")/common.sh"
settings=(--set train.log_every=7 --set train.save_every=5)
container=()
if unshare -m -p -f true 2>/dev/null; then container=(unshare -m -p -f); fi

train_cmd gpt straight "${settings[@]}"
"${train[@]}" >/dev/null 2>&1 || lose "gpt does not train"
refused=0 contained=0
for ((i = 0; i < count; ++i)); do
  train_cmd gpt "run-$i" "${settings[@]}" --resume
  children=()
  for who in 0 1 2 3; do
    if ((who % 2 && ${#container[@]})); then
      contained=$((contained + 1))
      "${container[@]}" "${train[@]}" >/dev/null 2>"$scratch/err-$who" &
    else
      "${train[@]}" >/dev/null 2>"$scratch/err-$who" &
    fi
    children+=($!)
  done
  winners=0
  for who in 0 1 2 3; do
    code=0
    wait "${children[$who]}" || code=$?
    if [ "$code" = 0 ]; then
      winners=$((winners + 1))  # a second one may come after the first has ended, and finds it finished
    elif [ "$code" = 2 ] && grep -qE "is in use by process [0-9]+ on .+; wait for it, or stop it|is in use by another process" "$scratch/err-$who"; then
      refused=$((refused + 1))
    else
      lose "race $i: exit code $code: $(tail -1 "$scratch/err-$who")"
    fi
  done
  [ "$winners" -ge 1 ] || lose "race $i: nobody trained"
  compare "$scratch/straight" "$scratch/run-$i" || lose "race $i: the run is not that of one trainer"
  [ "$(leftovers "$scratch/run-$i")" = 0 ] || lose "race $i: temporaries are left"
  rm -rf "$scratch/run-$i"
done
finish "lock races: $count of 4 trainers each ($contained trainers in namespaces of their own), $refused refused"
