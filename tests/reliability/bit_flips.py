"""One bit of a finished run is flipped: it must be told, or change nothing. tests/reliability/bit_flips.sh says how this is
called.
"""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import tiny

kSteps = 60
kSaveEvery = 20


def interrupted_run(binary, work):
    """A classifier that was told to stop after its first checkpoint, so that resuming still has steps to do."""
    run = work / "run"
    command = [binary, "train", "configs/debug/classify.yaml", "--out", run]
    for setting in (f"train.steps={kSteps}", f"train.save_every={kSaveEvery}", f"eval.every={kSaveEvery}", "train.threads=1",
                    f"data.cache_dir={work}/cache"):
        command += ["--set", setting]
    process = subprocess.Popen(command, cwd=tiny.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = run / f"checkpoints/step-{kSaveEvery:07}/manifest.json"
    while process.poll() is None and not first.exists():
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    if process.wait() != 128 + signal.SIGTERM:
        raise SystemExit(f"the training was not interrupted: it ended with {process.returncode}")
    return run


def newest(run):
    return max((run / "checkpoints").glob("step-*"))


def questions(binary, run):
    """Commands and what they must answer as before: (name, command line, file whose bytes are the answer, not what is said)."""
    one = ["--threads", "1"]
    resumed = ["train", run / "config.yaml", "--out", run, "--resume"]
    return [("eval", [binary, "eval", run, "--json", *one], None),
            ("classify", [binary, "classify", run, "--text", "the owl sleeps", "--json", *one], None),
            ("resume", [binary, *resumed], f"checkpoints/step-{kSteps:07}/model.safetensors")]


def answers(binary, run):
    """Of every question: (exit code, answer, what was said besides)."""
    given = []
    for name, command, file in questions(binary, run):
        ran = tiny.run(command, seconds=120)
        answer = ran.out if file is None else (run / file).read_bytes() if (run / file).exists() else b""
        given.append((name, ran.code, answer, ran.err.decode(errors="replace")))
    return given


def told(err):
    words = ("warning", "damaged", "corrupt", "checksum", "CRC", "differ", "passed over")
    return any(word in err for word in words)


def judge(answered, expected):
    """told: a command refused or warned, and the others answered as before; harmless: all did; else which is silently another."""
    if any(code not in (0, 2) for _, code, _, _ in answered):
        return "wrong end: " + ", ".join(f"{name} {code}" for name, code, _, _ in answered)
    tellers = {name for name, code, _, err in answered if code == 2 or told(err)}
    silent = [name for (name, _, answer, _), (_, _, right, _) in zip(answered, expected) if answer != right and name not in tellers]
    if silent:
        return "silent: " + ", ".join(silent)
    return "told" if tellers else "harmless"


def kinds(work, run):
    """Every kind of file that a resume or a question reads."""
    files = {"config.yaml": run / "config.yaml", "classes.json": run / "classes.json", "metrics.jsonl": run / "metrics.jsonl",
             "run manifest": run / "manifest.json"}
    for name in ("model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"):
        files[f"checkpoint {name}"] = newest(run) / name
    for path in sorted((run / "tokenizer").iterdir()):
        files[f"tokenizer/{path.name}"] = path
    for path in sorted((work / "cache").glob("tokens-*")):
        files.setdefault("token store", path)
    return {kind: path for kind, path in files.items() if path.is_file()}


def main(count, binary):
    binary = str(pathlib.Path(binary).resolve())
    first = int(os.environ.get("SEED", "1"))
    work = pathlib.Path(tempfile.mkdtemp(prefix="lmzoo-flips-"))
    figures, bad = {}, 0
    try:
        run = interrupted_run(binary, work)
        kept = work / "kept"
        shutil.copytree(work / "cache", kept / "cache")
        shutil.copytree(run, kept / "run")

        def restore():
            for part in ("run", "cache"):
                shutil.rmtree(work / part)
                shutil.copytree(kept / part, work / part)

        expected = answers(binary, run)
        if any(code != 0 or told(err) for _, code, _, err in expected):
            raise SystemExit(f"without a flip: {[(name, code, err) for name, code, _, err in expected]}")
        restore()
        for kind, path in kinds(work, run).items():
            figures[kind] = {}
            for seed in range(first, first + int(count)):
                restore()
                draw = random.Random(f"{kind} {seed}")
                content = bytearray(path.read_bytes())
                bit = draw.randrange(8 * len(content))
                content[bit // 8] ^= 1 << bit % 8
                path.write_bytes(content)
                what = judge(answers(binary, run), expected)
                figures[kind][what.split(":")[0]] = figures[kind].get(what.split(":")[0], 0) + 1
                if what not in ("told", "harmless"):
                    bad += 1
                    print(f"SEED={seed} {kind}, bit {bit % 8} of byte {bit // 8}: {what}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{'file':<36}{'told':>6}{'harmless':>10}{'else':>6}")
    for kind, row in figures.items():
        rest = sum(row.values()) - row.get("told", 0) - row.get("harmless", 0)
        print(f"{kind:<36}{row.get('told', 0):>6}{row.get('harmless', 0):>10}{rest:>6}")
    total = {what: sum(row.get(what, 0) for row in figures.values()) for what in ("told", "harmless")}
    print(f"bit flips: {sum(total.values()) + bad} tried in {len(figures)} kinds of files, {total['told']} told, "
          f"{total['harmless']} harmless, {bad} neither")
    return 1 if bad or not figures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
