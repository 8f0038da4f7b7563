"""A tiny zoo of files that lmzoo itself makes from configs/debug, and commands run with limits: what the scripts beside
this one damage and ask.
"""
import json
import os
import pathlib
import re
import resource
import signal
import subprocess

root = pathlib.Path(__file__).resolve().parents[2]
data = root / "configs/debug/data"


class Ran:
    """How a command ended: its exit code (negative: the signal), None when it ran out of time."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def run(command, seconds=60, memory=0, env=None):
    """Runs a command line in the repository's root. `memory`: bytes of address space; 0: no limit."""

    def limit():
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    process = subprocess.Popen(
        command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit,
        start_new_session=True, env={**os.environ, "GOMP_SPINCOUNT": "0", **(env or {})})
    try:
        out, err = process.communicate(timeout=seconds)
        return Ran(process.returncode, out, err)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        return Ran(None, out, err)


def errors_of(err):
    """Lines of standard error without those that are no error: warnings, and how far a reading is."""
    lines = err.decode(errors="replace").replace("\r", "\n").split("\n")
    return [line for line in lines if line.strip() and not re.match(r"warning:|note:| |\S+ +\d+% ", line)]


def refusals(err):
    """How many refusals standard error holds: all mistakes of a YAML, a line each, are one."""
    lines = errors_of(err)
    mistakes = [line for line in lines if re.search(r"\.yaml:\d+(:\d+)?: |^and \d+ more$", line)]
    return len(lines) - max(0, len(mistakes) - 1)


def must(command):
    """A step of setting up, which may not fail."""
    ran = run(command, seconds=300)
    if ran.code != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {ran.code}: {ran.err.decode(errors='replace')[-2000:]}")
    return ran


def train(binary, work, name, *settings):
    """Trains configs/debug/NAME.yaml to WORK/NAME in a few steps."""
    few = ["train.epochs=1"] if name in ("cbow", "skipgram") else ["train.steps=12"]
    command = [binary, "train", f"configs/debug/{name}.yaml", "--out", work / name]
    for setting in [*few, "train.threads=1", f"data.cache_dir={work}/cache/{name}", *settings]:
        command += ["--set", setting]
    return must(command)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def small_files(work):
    """Files that people write: questions, pairs, prompts, ids, results for a report."""
    write(work / "questions.txt", ": animals\nowl fox cat dog\nthe old the red\n: places\nhill garden tower bridge\n")
    write(work / "pairs.tsv", "Word 1\tWord 2\tScore\nowl\tfox\t6.5\nhill\tgarden\t2\ncat\tdog\t8.25\n")
    write(work / "prompts.txt", "the old owl\n\nthe red fox sits near the old tower\n")
    write(work / "ids.jsonl", '{"ids": [5, 6, 7, 8], "token_types": [0, 0, 1, 1]}\n{"text": "the old owl"}\n')
    write(work / "ids_t5.jsonl", '{"ids": [9, 10, 11], "decoder_ids": [0, 12]}\n')
    write(work / "results.json", json.dumps({"title": "T", "tables": [{"title": "a", "note": "b", "head": ["x", "y"],
                                                                       "rows": [["1", "2"]]}],
                                             "samples": [{"title": "s", "prompt": "p", "answer": "a"}]}))
    write(work / "tasks.jsonl", b"\n".join((data / "tasks.valid.jsonl").read_bytes().splitlines()[:8]) + b"\n")
    write(work / "mood.tsv", b"\n".join((data / "mood.valid.tsv").read_bytes().splitlines()[:20]) + b"\n")
    write(work / "text.txt", b"\n".join((data / "valid.txt").read_bytes().splitlines()[:20]) + b"\n")
