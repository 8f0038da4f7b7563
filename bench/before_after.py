#!/usr/bin/env python3
"""Whether a change made training steps slower: two builds of lmzoo in turn, on the same configurations.

    bench/before_after.py BEFORE AFTER [--configs FILE ...] [--precision fp32] [--rounds 5] [--steps 6]

BEFORE and AFTER are two lmzoo programs. Every round runs each once, one at a time and in changing order, and gives one ratio:
time of a step before over time after, so above 1 is faster now. The table shows the median and the range. Two rows of the same
program tell what the machine's noise is: give it as both.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from peers import cpu  # noqa: E402

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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--configs", nargs="+", type=pathlib.Path, default=CONFIGS)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6)
    args = parser.parse_args()
    print(f"{cpu()}; before / after: median (range) of {args.rounds} interleaved rounds\n")
    print("| configuration | precision | median step | fastest step |\n|---|---|---|---|")
    for config in args.configs:
        compare(config, args)


main()
