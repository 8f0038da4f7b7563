"""What it costs to refuse hostile inputs of 1 MB. tests/reliability/cost.sh says how this is called."""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import tiny

kSize = 1_000_000
kSeconds = 1.0
kMemory = 64 << 20


def hf(work, name, config):
    folder = work / name
    tiny.write(folder / "config.json", config)
    return folder


def inputs(work):
    """(name, bytes of the input, arguments)."""
    bert = {"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
            "vocab_size": 99}
    labels = {str(i): f"label {i}" for i in range(50_000) if i != 49_000}
    names = {f"key_{i}": i for i in range(50_000)}
    config = tiny.root / "configs/debug/classify.yaml"
    base = config.read_text()
    plan = lambda name, text: (name, len(text), ["plan", str(tiny.write(work / f"{name}.yaml", text))])
    asked = lambda name, text, *command: (name, len(text), [*command[:-1], str(tiny.write(work / name, text))] if command[-1] == "{}"
                                          else [part.replace("{}", str(tiny.write(work / name, text))) for part in command])
    run, words = str(work / "classify"), str(work / "cbow")
    made = [
        plan("yaml_brackets", "a: " + "[" * kSize), plan("yaml_braces", "a: " + "{" * kSize), plan("yaml_items_in_lists", "a: [[" + "b," * (kSize // 2)), plan("yaml_dashes", "- " * (kSize // 2)),
        plan("yaml_questions", "? " * (kSize // 2)), plan("yaml_anchors", "&a " * (kSize // 3)), plan("yaml_quotes", '"' + "\\x41" * (kSize // 4)),
        plan("yaml_long_value", base.replace("width: 32", "width: " + "x" * kSize)),
        plan("yaml_long_key", "x" * kSize + ": 1\n"), plan("yaml_many_keys", "".join(f"k{i}: 1\n" for i in range(90_000))),
        plan("yaml_many_items", base.replace("[configs/debug/data/mood.train.tsv]", "[" + "a," * (kSize // 3) + "a]")),
        plan("yaml_glob_braces", base.replace("[configs/debug/data/mood.train.tsv]", '["' + "{a,b}" * (kSize // 6) + '"]')),
        plan("yaml_glob_few_braces", base.replace("[configs/debug/data/mood.train.tsv]", '["' + "{a,b}" * 60 + '"]')),
        plan("yaml_glob_stars", base.replace("[configs/debug/data/mood.train.tsv]", '["' + "*" * 100_000 + '/x"]')),
        plan("yaml_indented", "".join(" " * i + "a:\n" for i in range(1_400))),
        plan("yaml_long_type", base.replace("type: bert", "type: " + "b" * kSize)),
        ("config_brackets", kSize, ["import", str(hf(work, "hf_deep", "[" * kSize)), str(work / "made")]),
        ("config_id2label", kSize, ["import", str(hf(work, "hf_labels", json.dumps({**bert, "id2label": labels}))), str(work / "made")]),
        ("config_unknown_keys", kSize, ["import", str(hf(work, "hf_keys", json.dumps({**bert, **names}))), str(work / "made")]),
        ("config_long_value", kSize, ["import", str(hf(work, "hf_long", json.dumps({**bert, "hidden_act": "x" * kSize}))), str(work / "made")]),
        ("config_wide", kSize, ["import", str(hf(work, "hf_wide", json.dumps({**bert, "hidden_size": 2**31}))), str(work / "made")]),
        asked("results_brackets.json", "[" * kSize, "report", run, "--out", str(work / "r.html"), "--results", "{}"),
        asked("results_objects.json", '{"a":' * (kSize // 5), "report", run, "--out", str(work / "r.html"), "--results", "{}"),
        asked("results_keys.json", json.dumps({**names, "tables": 1}), "report", run, "--out", str(work / "r.html"), "--results", "{}"),
        asked("ids_brackets.jsonl", "[" * kSize, "forward", run, "--out", str(work / "o"), "--input", "{}"),
        asked("ids_many.jsonl", '{"ids": [' + "1," * (kSize // 2) + "1]}", "forward", run, "--out", str(work / "o"), "--input", "{}"),
        asked("ids_key.jsonl", '{"' + "x" * kSize + '": 1}', "forward", run, "--out", str(work / "o"), "--input", "{}"),
        asked("label_long.tsv", "the owl\t" + "x" * kSize + "\n", "eval", run, "--data", "{}"),
        asked("labels_30k.tsv", "".join(f"the owl {i}\t{chr(97 + i) * 30_000}\n" for i in range(26)), "eval", run, "--data", "{}"),
        asked("one_cell.tsv", "x" * kSize, "eval", run, "--data", "{}"),
        asked("many_cells.tsv", "a\t" * (kSize // 2), "eval", run, "--data", "{}"),
        asked("questions.txt", "a " * (kSize // 2), "analogy", words, "{}"),
        asked("pairs.txt", "a,b\n" + "x" * kSize, "similarity", words, "{}"),
        asked("vectors_line.txt", "owl " + "x " * (kSize // 2), "neighbors", "{}", "owl"),
        asked("vectors_head.txt", "999999999 999999999\nowl 1 2\n" + "x" * kSize, "neighbors", "{}", "owl"),
        asked("ids_to_decode.txt", "1 " * (kSize // 2) + "x", "tokenizer", "decode", run, "--text", "99999999999999999999"),
        ("long_command", 120_000, ["x" * 120_000]),
        ("long_flag", 120_000, ["plan", str(config), "--" + "x" * 120_000]),
        ("long_set", 120_000, ["plan", str(config), "--set", "model." + "x" * 120_000 + "=1"]),
        ("long_task", 120_000, ["eval", run, "--task", "x" * 120_000]),
        ("long_path", 120_000, ["classify", "x" * 120_000]),
    ]
    for name, text in (("spiece.model", b"\x0a" * kSize), ("lmzoo_tokenizer.json", b"[" * kSize)):
        folder = work / f"tokenizer_{name}"
        shutil.copytree(work / "classify/tokenizer", folder)
        (folder / "manifest.json").unlink()
        (folder / name).write_bytes(text)
        made.append((f"tokenizer_{name}", kSize, ["tokenizer", "encode", str(folder), "--text", "owl"]))
    step = work / "manifest/checkpoints/step-0000012"
    shutil.copytree(work / "classify", work / "manifest")
    tiny.write(step / "manifest.json", '{"files":' * (kSize // 9))
    made.append(("manifest_objects", kSize, ["eval", str(step)]))
    return made


def measured(binary, arguments):
    """Seconds of processors, peak of resident bytes, and how it ended."""
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen([binary, *arguments], cwd=tiny.root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                                   env={**os.environ, "GOMP_SPINCOUNT": "0"},
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (30, 30)))
        start = time.monotonic()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        return (usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, process.returncode, err.read(), time.monotonic() - start)


def fault(seconds, memory, size, code, err):
    lines = tiny.errors_of(err)
    found = []
    if code != 2:
        found.append(f"exit {code}")
    elif len(lines) != 1:
        found.append(f"{len(lines)} lines")
    if len(err) > 4096:
        found.append(f"a message of {len(err)} bytes")
    if seconds > kSeconds:
        found.append("too slow")
    if memory > size + kMemory:
        found.append("too much memory")
    return ", ".join(found)


def main(binary):
    work = pathlib.Path(tempfile.mkdtemp(prefix="lmzoo-cost-"))
    bad, slowest, largest, count = 0, 0.0, 0, 0
    try:
        for name in ("classify", "cbow"):
            tiny.train(binary, work, name)
        # What it costs to refuse anything at all, over and above which everything is counted.
        idle = {command: measured(binary, [command, str(work / "nothing"), *rest])
                for command, rest in (("plan", []), ("import", [str(work / "made")]), ("classify", []))}
        idle_seconds = min(row[0] for row in idle.values())
        idle_memory = max(row[1] for row in idle.values())
        print(f"{'input':<28}{'seconds':>9}{'MiB':>8}  (beyond {idle_seconds:.2f} s, {idle_memory / 2**20:.0f} MiB of refusing a missing file)")
        for name, size, arguments in inputs(work):
            seconds, memory, code, err, _ = measured(binary, arguments)
            seconds, memory = max(0, seconds - idle_seconds), max(0, memory - idle_memory)
            wrong = fault(seconds, memory, size, code, err)
            count, slowest, largest = count + 1, max(slowest, seconds), max(largest, memory)
            bad += bool(wrong)
            print(f"{name:<28}{seconds:>9.2f}{memory / 2**20:>8.1f}  {wrong}{': ' + repr(err[-200:]) if wrong else ''}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"cost: {count} hostile inputs, {count - bad} refused in one line within {kSeconds:.0f} s and {kMemory >> 20} MiB beyond their "
          f"size, {bad} not; at most {slowest:.2f} s and {largest / 2**20:.0f} MiB")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(str(pathlib.Path(sys.argv[1]).resolve())))
