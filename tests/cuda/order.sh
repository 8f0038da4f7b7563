#!/usr/bin/env bash
# Proves without a GPU that every command that computes on a device loads LibTorch's CUDA part before anything asks
# LibTorch about accelerators (core/device.h says why that decides whether a GPU is ever used).
#
#   LMZOO_TEST_CUDA_TORCH=FOLDER tests/cuda/order.sh LMZOO
#
# FOLDER is a torch with CUDA (site-packages/torch of a full wheel) of the version that LMZOO was built with; without it
# nothing is proven, and the exit code is 77. It takes the place of the LibTorch that LMZOO was linked with, an empty
# libcuda.so.1 makes LMZOO believe in a driver that shows no GPU, and hooks_probe.cpp notes what the first question found.
set -euo pipefail
cd "$(dirname "$0")/../.."
lmzoo=$(realpath "$1")
torch=${LMZOO_TEST_CUDA_TORCH:-}
if [ -z "$torch" ]; then
  echo "skipped: LMZOO_TEST_CUDA_TORCH names no torch with CUDA"
  exit 77
fi
[ -e "$torch/lib/libtorch_cuda.so" ] || { echo "LMZOO_TEST_CUDA_TORCH=$torch holds no lib/libtorch_cuda.so"; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
g++ -x c -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$work/libcuda.so.1" - <<<'int lmzoo_stub_of_a_driver;'
g++ -std=c++20 -O1 -shared -fPIC -I"$torch/include" tests/cuda/hooks_probe.cpp -o "$work/probe.so" -ldl

# LOG COMMAND...: runs it in front of the CUDA torch.
watched() {
  local log=$1
  shift
  LMZOO_HOOKS_LOG=$log LD_PRELOAD=$work/probe.so LD_LIBRARY_PATH=$work:$torch/lib GOMP_SPINCOUNT=20000 "$@"
}

# real | stub | nothing, of the last command.
found() { if [ -s "$work/log" ]; then head -n 1 "$work/log"; else echo nothing; fi; }

# COMMAND ARGUMENT...: must end well and leave real hooks behind.
asks() {
  rm -f "$work/log"
  if ! watched "$work/log" "$lmzoo" "$@" >"$work/out" 2>&1 </dev/null; then
    failed=$((failed + 1))
    echo "FAILED: lmzoo $*: $(tail -n 2 "$work/out")"
  elif [ "$(found)" = real ]; then
    passed=$((passed + 1))
    echo "real hooks: lmzoo $1"
  else
    failed=$((failed + 1))
    echo "FAILED: lmzoo $*: asked too early (found: $(found))"
  fi
}

# The proof can fail: what seeds before it loads is seen.
g++ -std=c++20 -D_GLIBCXX_USE_CXX11_ABI=1 -I"$torch/include" tests/cuda/seeds_first.cpp -o "$work/seeds_first" -L"$torch/lib" \
  -ltorch_cpu -lc10 -ldl -Wl,--unresolved-symbols=ignore-in-shared-libs
watched "$work/log" "$work/seeds_first"
[ "$(found)" = stub ] || { echo "FAILED: a program that asks too early is not seen (found: $(found))"; exit 1; }

# The runs that are asked below.
quick=(--set data.cache_dir="$work/cache" --set train.steps=12)
for name in bert gpt t5 classify tags answers; do
  asks train "configs/debug/$name.yaml" --out "$work/$name" "${quick[@]}"
done

printf 'owl fox owl fox\n' >"$work/questions.txt"
printf 'owl fox 5\nfox owl 3\n' >"$work/pairs.txt"
printf 'the old owl sleeps\nthe owl runs after the fox\n' >"$work/texts.txt"
printf '{"ids": [5, 6, 7]}\n' >"$work/ids.jsonl"
asks eval "$work/bert"
asks generate "$work/gpt" --prompt "the old owl" --max-tokens 2
asks fill-mask "$work/bert" --text "the old [MASK] sleeps"
asks infill "$work/t5" --text "the <extra_id_0> sleeps" --max-tokens 2
asks classify "$work/classify" --text "the owl runs"
asks tag "$work/tags" --text "Ada wrote to London"
asks answer "$work/answers" --question "who sleeps?" --passage "the old owl sleeps"
asks embed "$work/bert" --text "the old owl"
asks neighbors "$work/bert" a
asks analogy "$work/bert" --text "a b c"
asks similarity "$work/bert" --text "a b"
asks forward "$work/bert" --input "$work/ids.jsonl" --out "$work/logits.safetensors"
asks inspect "$work/classify" --contextual owl --file "$work/texts.txt"
asks report "$work/classify" --contextual owl --file "$work/texts.txt" --out "$work/report.html"
asks compare "$work/classify" "$work/classify"
asks sweep configs/debug/classify.yaml --seeds 1 --out "$work/sweep" "${quick[@]}"
asks bench step configs/debug/bert.yaml --steps 1
asks bench machine --device auto

# Work on the CPU first must not spoil a GPU that comes after it in the same process.
"$lmzoo" train configs/debug/classify.yaml --out "$work/on_cpu" "${quick[@]}" --set train.device=cpu >/dev/null 2>&1
asks compare "$work/on_cpu" "$work/classify"
asks sweep configs/debug/classify.yaml --seeds 1 --out "$work/devices" "${quick[@]}" --grid train.device=cpu,auto

echo "$passed passed, $failed failed"
[ $failed = 0 ]
