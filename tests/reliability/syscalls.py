"""The work of syscalls.sh: see there."""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from pathlib import Path

# What each call is made to fail with: disks, permissions, descriptors, memory, threads.
FAULTS = {
    "openat": ["EACCES", "EMFILE", "EIO"],
    "read": ["EIO"],
    "pread64": ["EIO"],
    "write": ["ENOSPC", "EIO"],
    "fsync": ["EIO", "ENOSPC"],
    "rename": ["EIO", "EACCES"],
    "renameat2": ["EIO", "EACCES"],
    "mkdir": ["EACCES", "ENOSPC"],
    "unlink": ["EACCES"],
    "unlinkat": ["EACCES"],
    "ftruncate": ["ENOSPC"],
    "mmap": ["ENOMEM"],
    "newfstatat": ["EIO"],
    "statfs": ["EIO"],
    "getdents64": ["EIO"],
    "flock": ["ENOLCK"],
    "clone3": ["EAGAIN"],
}
ENVIRONMENT = {**os.environ, "GOMP_SPINCOUNT": "20000", "OMP_NUM_THREADS": "2", "TERM": "dumb", "LC_ALL": "C"}
PROGRESS = re.compile(r"(tiny\w*|tokenizer|data\.\w+) +[0-9#]")
NAMES_SOMETHING = re.compile(r"[\w.-]+/[\w./-]+|\.cache\b|\w\.(yaml|txt|json|jsonl|safetensors)\b|memory|thread|standard (in|out)put")

BERT = """\
name: tiny
tokenizer: {type: char, sentinels: 0}
data:
  train: {files: [train.txt]}
  valid: {files: [valid.txt]}
  sequence_length: 32
model: {type: bert, layers: 1, width: 16, heads: 2, ffn_width: 32}
objective: {type: masked_lm}
train: {steps: 6, batch_size: 4, save_every: 3, log_every: 2, threads: 2, device: cpu}
eval: {every: 3}
"""
GPT = BERT.replace("name: tiny", "name: tinygpt").replace("bert", "gpt").replace("masked_lm", "causal_lm")


class Job:
    """A command in a folder of its own, and what it must leave."""

    def __init__(self, name, arguments, marker, leaves_run=False):
        self.name, self.arguments, self.marker, self.leaves_run = name, arguments, marker, leaves_run

    def result(self, folder, out):
        if not self.leaves_run:
            return out
        weights = sorted((folder / "run/checkpoints").glob("step-*/model.safetensors"))
        return zlib.crc32(weights[-1].read_bytes()) if weights else None


JOBS = [
    Job("plan", ["plan", "bert.yaml", "--json"], "bert.yaml"),
    Job("train", ["train", "bert.yaml", "--out", "run"], "bert.yaml", leaves_run=True),
    Job("resume", ["train", "bert.yaml", "--out", "run", "--resume"], "bert.yaml", leaves_run=True),
    Job("eval", ["eval", "run", "--json"], "config.yaml"),
    Job("generate", ["generate", "gpt", "--prompt", "a man", "--temperature", "0", "--max-tokens", "5"], "config.yaml"),
    Job("tokenizer", ["tokenizer", "encode", "run", "--text", "a man", "--json"], "tokenizer"),
]


def prepare(lmzoo, root):
    """Folders to begin from: inputs, and finished and half-finished runs."""
    base = root / "base"
    base.mkdir()
    for name in ("train", "valid"):
        shutil.copy(f"configs/debug/data/{name}.txt", base / f"{name}.txt")
    (base / "bert.yaml").write_text(BERT)
    (base / "gpt.yaml").write_text(GPT)
    folders = {"plan": base, "train": base}
    done = root / "done"
    shutil.copytree(base, done)
    for config, run in (("bert.yaml", "run"), ("gpt.yaml", "gpt")):
        subprocess.run([lmzoo, "train", config, "--out", run], cwd=done, env=ENVIRONMENT, check=True, capture_output=True)
    half = root / "half"
    shutil.copytree(done, half)
    shutil.rmtree(sorted((half / "run/checkpoints").glob("step-*"))[-1])
    folders.update({"resume": half, "eval": done, "generate": done, "tokenizer": done})
    return folders


def shape(line):
    """A line of standard error without its numbers: times and rates differ."""
    return re.sub(r"[0-9][0-9.,:e+-]*[kMGT]?", "#", line).strip()


class Bench:
    def __init__(self, lmzoo, root):
        self.lmzoo, self.root = lmzoo, root
        self.folders = prepare(lmzoo, root)

    def run(self, job, strace):
        folder = self.root / "work"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folders[job.name], folder)
        command = ["strace", "-f", "-qq", "-o", str(self.root / "trace"), *strace, self.lmzoo, *job.arguments]
        try:
            done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, timeout=120)
        except subprocess.TimeoutExpired:
            return "timeout", None, []
        lines = [shape(line) for line in re.split(r"[\r\n]+", done.stderr) if line.strip()]
        return done.returncode, job.result(folder, done.stdout), list(zip(lines, [l for l in re.split(r"[\r\n]+", done.stderr) if l.strip()]))

    def places(self, job):
        """Calls of the main thread after the program has been loaded: name and which one of its name."""
        self.run(job, ["-y", "-e", "trace=" + ",".join(FAULTS)])
        counts, found, begun, main = Counter(), [], False, None
        for line in (self.root / "trace").read_text(errors="replace").splitlines():
            match = re.match(r"(\d+)\s+(\w+)\(", line)
            if match is None:
                continue
            main = main or match[1]
            if match[1] != main or match[2] not in FAULTS:
                continue
            counts[match[2]] += 1
            begun = begun or job.marker in line
            if begun and not re.search(r"[\"<]/(proc|sys)/", line):
                found += [(job, match[2], counts[match[2]], fault) for fault in FAULTS[match[2]]]
        return found


def verdict(code, result, lines, clean):
    """Empty when the outcome is right, else what is wrong."""
    added = [text for form, text in lines if form not in clean["lines"] and not PROGRESS.match(text)]
    if code == 0:
        return "" if result == clean["result"] else "exit 0 with another result"
    if code != 2:
        return f"exit {code}: {added[-1:]}"
    if len(added) != 1:
        return f"{len(added)} lines: {added}"
    return "" if NAMES_SOMETHING.search(added[0]) else f"names nothing: {added[0]}"


def main():
    count, lmzoo, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(lmzoo, Path(scratch))
        clean, places = {}, []
        for job in JOBS:
            places += bench.places(job)
            code, result, lines = bench.run(job, ["-e", "trace=none"])
            assert code == 0 and result is not None, (job.name, code, lines)
            clean[job.name] = {"result": result, "lines": {form for form, _ in lines}}
        random.Random(seed).shuffle(places)
        outcomes, failures = Counter(), 0
        for job, call, number, fault in places[:count]:
            code, result, lines = bench.run(job, ["-e", f"trace={call}", "-e", f"inject={call}:error={fault}:when={number}"])
            wrong = verdict(code, result, lines, clean[job.name])
            outcomes[code] += 1
            if wrong:
                failures += 1
                print(f"FAILED: {job.name}: {call} {number} {fault}: {wrong}", flush=True)
        tried = min(count, len(places))
        print(f"syscalls: {tried - failures} passed, {failures} failed; of {tried} failing system calls {outcomes[0]} "
              f"were survived with the right result, {outcomes[2]} ended with exit 2")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
