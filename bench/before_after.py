#!/usr/bin/env python3
"""Whether a change made training steps slower: two builds of lmzoo in turn, on the same configurations.

    bench/before_after.py BEFORE AFTER [--configs FILE ...] [--precision fp32] [--rounds 5] [--steps 6]
    bench/before_after.py BEFORE AFTER --words [--configs configs/word2vec/skipgram.yaml ...] [--epochs 1] [--rounds 5]
    bench/before_after.py BEFORE AFTER --kernels [--part NAME] [--rounds 5]

BEFORE and AFTER are two lmzoo programs. Every round runs each once, one at a time and in changing order, and gives one ratio:
time of a step before over time after, so above 1 is faster now. With --words BEFORE and AFTER train word vectors, and words a second
are compared; with --kernels they are two programs `bench/kernels`, and the least milliseconds of each kernel are. The table shows the median and the range. Two rows of the same
program tell what the machine's noise is: give it as both.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from peers import cpu  # noqa: E402

WORDS = [HERE.parent / "configs" / "word2vec" / f"{name}.yaml" for name in ("skipgram", "cbow", "skipgram_tree", "skipgram_ngrams")]
CONFIGS = [HERE / "vs_transformers" / f"{family}.yaml" for family in ("bert", "gpt", "t5")]


def step_ms(program, config, args):
    """Median and fastest step of one process."""
    command = [program, "bench", "step", str(config), "--steps", str(args.steps), "--json", "--set", f"train.precision={args.precision}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    figures = json.loads(done.stdout)
    return figures["step_ms"], figures["step_ms_fastest"]


def compare(config, args):
    medians, fastest = [], []
    for number in range(args.rounds):
        order = ("before", "after") if number % 2 == 0 else ("after", "before")
        found = {side: step_ms(getattr(args, side), config, args) for side in order}
        medians.append(found["before"][0] / found["after"][0])
        fastest.append(found["before"][1] / found["after"][1])
    columns = [f"{statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})" for ratios in (medians, fastest)]
    print(f"| {config.stem} | {args.precision} | {' | '.join(columns)} |", flush=True)


def spread(ratios):
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})"


def words_per_second(program, config, args):
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "train", str(config), "--out", f"{folder}/run", "--set", f"train.epochs={args.epochs}", "--set",
                   f"data.cache_dir={args.cache}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
        rows = [json.loads(line) for line in open(f"{folder}/run/metrics.jsonl")]
    last = [row for row in rows if row["kind"] == "train"][-1]
    return last["tokens"] / last["seconds"]


def compare_words(config, args):
    with tempfile.TemporaryDirectory() as cache:
        args.cache = cache
        for side in ("before", "after"):  # encodes the text, which is not measured
            words_per_second(getattr(args, side), config, args)
        ratios = []
        for number in range(args.rounds):
            order = ("before", "after") if number % 2 == 0 else ("after", "before")
            found = {side: words_per_second(getattr(args, side), config, args) for side in order}
            ratios.append(found["after"] / found["before"])
    print(f"| {config.stem} | {spread(ratios)} |", flush=True)


def kernel_ms(program, part):
    """Least milliseconds of each kernel, by its name."""
    done = subprocess.run([program, "--rounds", "3", *part], capture_output=True, text=True, check=True)
    rows, section = {}, ""
    for line in done.stdout.splitlines():
        measured = re.match(r"(.*?)\s+fused\s+([0-9.]+) ms", line)
        if measured:
            rows[f"{section}: {measured[1]}"] = float(measured[2])
        else:
            section = line.strip()
    return rows


def compare_kernels(args):
    rounds = []
    for number in range(args.rounds):
        order = ("before", "after") if number % 2 == 0 else ("after", "before")
        rounds.append({side: kernel_ms(getattr(args, side), [args.part] if args.part else []) for side in order})
    for name in rounds[0]["after"]:
        if name in rounds[0]["before"]:
            print(f"| {name} | {spread([found['before'][name] / found['after'][name] for found in rounds])} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--configs", nargs="+", type=pathlib.Path)
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--kernels", action="store_true")
    parser.add_argument("--part", help="of the names of kernels")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6)
    args = parser.parse_args()
    print(f"{cpu()}; before / after: median (range) of {args.rounds} interleaved rounds\n")
    if args.kernels:
        print("| kernel | least milliseconds |\n|---|---|")
        return compare_kernels(args)
    if args.words:
        print("| configuration | words a second |\n|---|---|")
        for config in args.configs or WORDS:
            compare_words(config, args)
        return None
    print("| configuration | precision | median step | fastest step |\n|---|---|---|---|")
    for config in args.configs or CONFIGS:
        compare(config, args)
    return None


main()
