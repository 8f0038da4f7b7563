#!/usr/bin/env python3
"""Fine-tuning a published encoder: lmzoo against Hugging Face's Trainer with the same weights, data and recipe.

    bench/vs_trainer/run.py LMZOO --data FOLDER [--tasks sst2 cola] [--parts speed quality] [--rounds 3] [--seeds 1 2 3]

LMZOO is the built program; FOLDER holds sst2.{train,dev}.tsv and cola.{train,dev}.tsv. tools/fetch_minilm.sh fetches the
encoder. The recipe is in tasks.py and, for lmzoo, in configs/finetune/*_minilm.yaml.

  speed    sentences per second of the training loop, by each side's own clock, in interleaved rounds: the Trainer as its
           users run it (padded to 128, fp32) and tuned (padded to the batch, batches of similar lengths, tcmalloc and
           oneMKL's AVX-512 path preloaded), both in lmzoo's precision for the tuned one
  quality  the score on the development set over the seeds: both sides from the published weights, lmzoo from random ones;
           and each fine-tuned run exported and scored again by transformers

Makes .venv-peer (bench/peers.py) when it is absent.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import tasks

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
from peers import cpu, peer_python, tuned_environment  # noqa: E402

MODEL = ROOT / "checkpoints/minilm"
PEER_STEPS, STEPS = 10, 60  # of one measurement: padding to 128 is slow


def last_rows(run, kind):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if row["kind"] == kind][-1]


class Race:
    def __init__(self, args, folder):
        self.args, self.folder, self.python = args, folder, peer_python()
        self.tuned = tuned_environment(folder)

    def lmzoo(self, task, *changes):
        out = self.folder / "run"
        subprocess.run(["rm", "-rf", out], check=True)
        command = [self.args.lmzoo, "train", f"configs/finetune/{task}_minilm.yaml", "--out", out]
        for split in ("train", "dev"):
            file = self.args.data / tasks.TASKS[task][0].format(split)
            command += ["--set", f"data.{'train' if split == 'train' else 'valid'}.files=[{file}]"]
        for change in changes:
            command += ["--set", change]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return out

    def peer(self, task, *flags, model=MODEL, tuned=False):
        command = [self.python, HERE / "peer.py", task, "--model", model, "--data", self.args.data, *map(str, flags)]
        command += ["--tuned"] if tuned else []
        environment = None if not tuned else {**os.environ, **self.tuned}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        return json.loads(done.stdout.splitlines()[-1])

    def lmzoo_speed(self, task, precision):
        run = self.lmzoo(task, f"train.steps={STEPS}", f"train.precision={precision}", "eval.max_batches=1")
        row = last_rows(run, "train")
        return {"sentences_per_s": STEPS * tasks.BATCH / row["seconds"], "rss_mb": row["memory_bytes"] / 2**20}

    def speed(self, task):
        sides = {
            "lmzoo fp32": lambda: self.lmzoo_speed(task, "fp32"),
            "as run fp32": lambda: self.peer(task, "--steps", PEER_STEPS),
            "tuned fp32": lambda: self.peer(task, "--steps", STEPS, tuned=True),
            "lmzoo bf16": lambda: self.lmzoo_speed(task, "bf16"),
            "tuned bf16": lambda: self.peer(task, "--steps", STEPS, "--precision", "bf16", tuned=True),
        }
        found = {side: [] for side in sides}
        for _ in range(self.args.rounds):
            for side, measure in sides.items():
                found[side].append(measure())
        for side, answers in found.items():
            ours = "lmzoo bf16" if side.endswith("bf16") else "lmzoo fp32"
            ratios = [a["sentences_per_s"] / b["sentences_per_s"] for a, b in zip(found[ours], answers)]
            print(f"{task} {side}: {statistics.median(a['sentences_per_s'] for a in answers):.1f} sentences/s, "
                  f"{max(a['rss_mb'] for a in answers):,.0f} MB, lmzoo is {statistics.median(ratios):.2f}x "
                  f"({min(ratios):.2f}-{max(ratios):.2f})", flush=True)

    def quality(self, task):
        metric = tasks.TASKS[task][3]
        scores = {side: [] for side in ("lmzoo", "lmzoo, exported, in transformers", "Trainer", "lmzoo from random weights")}
        for seed in self.args.seeds:
            run = self.lmzoo(task, f"seed={seed}")
            scores["lmzoo"].append(last_rows(run, "eval")[metric])
            exported = self.folder / "exported"
            subprocess.run(["rm", "-rf", exported], check=True)
            subprocess.run([self.args.lmzoo, "export", run, exported], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            scores["lmzoo, exported, in transformers"].append(self.peer(task, "--score-only", model=exported, tuned=True)[metric])
            trained = self.peer(task, "--seed", seed, "--precision", "bf16", tuned=True)
            scores["Trainer"].append(trained[metric])
            run = self.lmzoo(task, f"seed={seed}", "model.weights=false")
            scores["lmzoo from random weights"].append(last_rows(run, "eval")[metric])
        for side, values in scores.items():
            spread = statistics.stdev(values) if len(values) > 1 else 0
            print(f"{task} {side}: {metric} {statistics.mean(values):.4f} ± {spread:.4f}  {values}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lmzoo", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--data", type=lambda path: pathlib.Path(path).resolve(), required=True)
    parser.add_argument("--tasks", nargs="+", choices=sorted(tasks.TASKS), default=["sst2", "cola"])
    parser.add_argument("--parts", nargs="+", choices=["speed", "quality"], default=["speed", "quality"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    args = parser.parse_args()
    subprocess.run([ROOT / "tools/fetch_minilm.sh"], check=True, stdout=subprocess.DEVNULL)
    print(f"{cpu()}, 2 threads; ratios: median (range) of {args.rounds} interleaved rounds", flush=True)
    with tempfile.TemporaryDirectory() as name:
        race = Race(args, pathlib.Path(name))
        for task in args.tasks:
            for part in args.parts:
                getattr(race, part)(task)


if __name__ == "__main__":
    main()
