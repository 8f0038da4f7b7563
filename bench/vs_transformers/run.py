#!/usr/bin/env python3
"""Whole training steps: lmzoo against Hugging Face transformers, same weights, same batches, interleaved in one run.

    bench/vs_transformers/run.py WORKER [--families bert gpt t5] [--precisions fp32 bf16] [--dropout 0.1] [--rounds 5]
                                 [--steps 8] [--skip-parity] [--json FILE]

WORKER is the built bench_vs_transformers. lmzoo, the peer as its users run it and the peer tuned take turns, one process at a
time: another one's memory, though it only waits, makes the page faults of the peer as run much slower, and its users do not run
it so. Every round gives one ratio, and the table shows the median with the range. Before that, with dropout off, the
losses of 50 steps of lmzoo and the peer are compared: in fp32 they must agree to 1e-4 relative; fp64 tells rounding from
mistakes.

Needs nothing installed: makes .venv-peer with the pinned versions below, and a compiler for the oneMKL switch.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import typing

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from peers import cpu, peer_python, tuned_environment  # noqa: E402

BATCHES = 8
PARITY_STEPS, PARITY = 50, 1e-4
# T5's unscaled attention amplifies rounding: at 1e-4 fp32 cannot say what the losses are, in the peer either. At 1e-5 it can.
PARITY_RATES = {"bert": [1e-4], "gpt": [1e-4], "t5": [1e-4, 1e-5]}
RATE = 1e-4  # of the race


class Setting(typing.NamedTuple):
    precision: str
    dropout: float
    rate: float


class Worker:
    def __init__(self, command, environment=None):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
        self.parameters = self.read()["parameters"]

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"a worker ended: {' '.join(map(str, self.process.args))}")
        return json.loads(line)

    def steps(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start(side, family, setting, args, folder):
    """`side`: lmzoo, peer (as its users run it), tuned, or plain: the peer's own code in the tuned environment, for parity."""
    if side == "lmzoo":
        return Worker([args.worker, HERE / f"{family}.yaml", folder, f"train.precision={setting.precision}",
                       f"model.dropout={setting.dropout}", f"optimizer.lr={setting.rate}"])
    command = [peer_python(), HERE / "peer.py", family, "--folder", folder, "--precision", setting.precision,
               "--dropout", str(setting.dropout), "--lr", str(setting.rate)]
    return Worker(command + (["--tuned"] if side == "tuned" else []), None if side == "peer" else tuned_environment(folder))


def worst_difference(a, b):
    return max(abs(x - y) / abs(y) for x, y in zip(a, b))


def losses_of(side, family, precision, rate, args, folder):
    worker = start(side, family, Setting(precision, 0.0, rate), args, folder)
    losses = worker.steps(PARITY_STEPS)["loss"]
    worker.close()
    return losses, worker.parameters


def parity(family, args, folder):
    """Largest relative differences of the losses of PARITY_STEPS steps, by what is compared, at each rate of learning."""
    found = {}
    for rate in PARITY_RATES[family]:
        losses, parameters = {}, {}
        for side, precision in (("lmzoo", "fp32"), ("lmzoo", "fp64"), ("plain", "fp32"), ("plain", "fp64")):
            losses[side, precision], parameters[side] = losses_of(side, family, precision, rate, args, folder)
        if parameters["lmzoo"] != parameters["plain"]:
            sys.exit(f"{family}: {parameters['lmzoo']} parameters here, {parameters['plain']} in the peer")
        found[f"{rate:.0e}"] = row = {
            "fp64": worst_difference(losses["lmzoo", "fp64"], losses["plain", "fp64"]),
            "fp32": worst_difference(losses["lmzoo", "fp32"], losses["plain", "fp32"]),
            "rounding": worst_difference(losses["lmzoo", "fp32"], losses["lmzoo", "fp64"]),
            "peer_rounding": worst_difference(losses["plain", "fp32"], losses["plain", "fp64"])}
        print(f"{family}, rate {rate:.0e}: losses of {PARITY_STEPS} steps agree to {row['fp32']:.1e} in fp32, {row['fp64']:.1e} in fp64"
              f" (fp32 from fp64: lmzoo {row['rounding']:.1e}, the peer {row['peer_rounding']:.1e})"
              + ("" if row["fp32"] <= PARITY else "  NOT 1e-4 in fp32"), flush=True)
    return found


def timed(side, family, precision, args, folder):
    """Median of the steps of one process, after every batch was there once; its peak of memory."""
    worker = start(side, family, Setting(precision, args.dropout, RATE), args, folder)
    worker.steps(BATCHES)
    answer = worker.steps(args.steps)
    worker.close()
    return statistics.median(answer["ms"]), answer["rss_mb"]


def race(family, precision, args, folder):
    sides = ("lmzoo", "peer", "tuned")
    times, memory = {side: [] for side in sides}, {}
    for _ in range(args.rounds):
        for side in sides:
            milliseconds, memory[side] = timed(side, family, precision, args, folder)
            times[side].append(milliseconds)
    case = json.loads((HERE / "cases.json").read_text())[family]
    tokens = case["batch"] * (case["source"] + case["target"])
    row = {"family": family, "precision": precision, "dropout": args.dropout, "tokens_per_step": tokens}
    for side in sides:
        row[side] = {"ms": statistics.median(times[side]), "tokens_per_s": 1000 * tokens / statistics.median(times[side]),
                     "rss_mb": memory[side]}
    for side in ("peer", "tuned"):
        ratios = [theirs / ours for theirs, ours in zip(times[side], times["lmzoo"])]
        row[f"ratio_{side}"] = [min(ratios), statistics.median(ratios), max(ratios)]
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("worker")
    parser.add_argument("--families", nargs="+", default=["bert", "gpt", "t5"])
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=5, help="0: parity only")
    parser.add_argument("--skip-parity", action="store_true")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    rows = []
    print(f"{cpu()}, 2 threads, dropout {args.dropout}; ratios: median (range) of {args.rounds} interleaved rounds")
    for family in args.families:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            subprocess.run([peer_python(), HERE / "make_inputs.py", family, folder, "--batches", str(BATCHES)], check=True)
            found = {} if args.skip_parity else parity(family, args, folder)
            for precision in args.precisions if args.rounds else []:
                row = race(family, precision, args, folder)
                row["parity"] = found
                rows.append(row)
                print(f"{family} {precision}: lmzoo {row['lmzoo']['tokens_per_s']:,.0f} tok/s {row['lmzoo']['rss_mb']:,.0f} MB | "
                      + " | ".join(f"{side} {row[side]['tokens_per_s']:,.0f} tok/s {row[side]['rss_mb']:,.0f} MB, "
                                   f"ratio {row[f'ratio_{side}'][1]:.2f} ({row[f'ratio_{side}'][0]:.2f}-{row[f'ratio_{side}'][2]:.2f})"
                                   for side in ("peer", "tuned")), flush=True)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
