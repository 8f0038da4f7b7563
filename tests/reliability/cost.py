"""What it costs to refuse hostile inputs of 1 MB. tests/reliability/cost.sh says how this is called."""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

import tiny

kSize = 1_000_000
kArgument = 120_000  # bytes; Linux allows 128 KiB
kSeconds = 1.0
kMemory = 64 << 20
kMessage = 8192  # bytes


# --- inputs: (name, its bytes, arguments) ---------------------------------------------------------------------------


def yaml_inputs(work):
    base = (tiny.root / "configs/debug/classify.yaml").read_text()
    files = "[configs/debug/data/mood.train.tsv]"
    texts = {
        "yaml_brackets": "a: " + "[" * kSize,
        "yaml_braces": "a: " + "{" * kSize,
        "yaml_items_in_lists": "a: [[" + "b," * (kSize // 2),
        "yaml_dashes": "- " * (kSize // 2),
        "yaml_questions": "? " * (kSize // 2),
        "yaml_anchors": "&a " * (kSize // 3),
        "yaml_quotes": '"' + "\\x41" * (kSize // 4),
        "yaml_indented": "".join(" " * i + "a:\n" for i in range(1_400)),
        "yaml_long_key": "x" * kSize + ": 1\n",
        "yaml_many_keys": "".join(f"k{i}: 1\n" for i in range(90_000)),
        "yaml_long_value": base.replace("width: 32", "width: " + "x" * kSize),
        "yaml_long_type": base.replace("type: bert", "type: " + "b" * kSize),
        "yaml_many_items": base.replace(files, "[" + "a," * (kSize // 3) + "a]"),
        "yaml_glob_braces": base.replace(files, '["' + "{a,b}" * (kSize // 6) + '"]'),
        "yaml_glob_few_braces": base.replace(files, '["' + "{a,b}" * 60 + '"]'),
        "yaml_glob_stars": base.replace(files, '["' + "*" * 100_000 + '/x"]'),
    }
    return [(name, len(text), ["plan", tiny.write(work / f"{name}.yaml", text)]) for name, text in texts.items()]


def published_inputs(work):
    bert = {"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
            "vocab_size": 99}
    configs = {
        "config_brackets": "[" * kSize,
        "config_id2label": json.dumps({**bert, "id2label": {str(i): f"label {i}" for i in range(50_000) if i != 49_000}}),
        "config_unknown_keys": json.dumps({**bert, **many_keys()}),
        "config_long_value": json.dumps({**bert, "hidden_act": "x" * kSize}),
        "config_wide": json.dumps({**bert, "hidden_size": 2**31}),
    }
    return [(name, len(text), ["import", tiny.write(work / name / "config.json", text).parent, work / "made"])
            for name, text in configs.items()]


def many_keys():
    return {f"key_{i}": i for i in range(50_000)}


def file_inputs(work):
    """Files that people hand to a command; {} is the file."""
    run, words = work / "classify", work / "cbow"
    forward = ["forward", run, "--out", work / "out", "--input", "{}"]
    report = ["report", run, "--out", work / "report.html", "--results", "{}"]
    evaluate = ["eval", run, "--data", "{}"]
    files = {
        "results_brackets.json": ("[" * kSize, report),
        "results_objects.json": ('{"a":' * (kSize // 5), report),
        "results_keys.json": (json.dumps({**many_keys(), "tables": 1}), report),
        "ids_brackets.jsonl": ("[" * kSize, forward),
        "ids_many.jsonl": ('{"ids": [' + "1," * (kSize // 2) + "1]}", forward),
        "ids_key.jsonl": ('{"' + "x" * kSize + '": 1}', forward),
        "label_long.tsv": ("the owl\t" + "x" * kSize + "\n", evaluate),
        "labels_30k.tsv": ("".join(f"the owl {i}\t{chr(97 + i) * 30_000}\n" for i in range(26)), evaluate),
        "one_cell.tsv": ("x" * kSize, evaluate),
        "many_cells.tsv": ("a\t" * (kSize // 2), evaluate),
        "questions.txt": ("a " * (kSize // 2), ["analogy", words, "{}"]),
        "pairs.txt": ("a,b\n" + "x" * kSize, ["similarity", words, "{}"]),
        "vectors_line.txt": ("owl " + "x " * (kSize // 2), ["neighbors", "{}", "owl"]),
        "vectors_head.txt": ("999999999 999999999\nowl 1 2\n" + "x" * kSize, ["neighbors", "{}", "owl"]),
    }
    return [(name, len(text), [tiny.write(work / name, text) if part == "{}" else part for part in command])
            for name, (text, command) in files.items()]


def argument_inputs(work):
    config, long = tiny.root / "configs/debug/classify.yaml", "x" * kArgument
    commands = {
        "long_command": [long],
        "long_flag": ["plan", config, "--" + long],
        "long_set": ["plan", config, "--set", f"model.{long}=1"],
        "long_task": ["eval", work / "classify", "--task", long],
        "long_path": ["classify", long],
        "long_ids": ["tokenizer", "decode", work / "classify", "--text", "1 " * (kArgument // 2 - 1) + "x"],
    }
    return [(name, kArgument, command) for name, command in commands.items()]


def folder_inputs(work):
    made = []
    for name, text in (("spiece.model", b"\x0a" * kSize), ("lmzoo_tokenizer.json", b"[" * kSize)):
        folder = work / f"tokenizer_{name}"
        shutil.copytree(work / "classify/tokenizer", folder)
        (folder / "manifest.json").unlink()
        (folder / name).write_bytes(text)
        made.append((f"tokenizer_{name}", kSize, ["tokenizer", "encode", folder, "--text", "owl"]))
    shutil.copytree(work / "classify", work / "manifest")
    step = work / "manifest/checkpoints/step-0000012"
    tiny.write(step / "manifest.json", '{"files":' * (kSize // 9))
    return [*made, ("manifest_objects", kSize, ["eval", step])]


# --- what they cost --------------------------------------------------------------------------------------------------


def measured(binary, arguments):
    """Seconds of processors, peak of resident bytes, how it ended, and what was said."""
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen([binary, *arguments], cwd=tiny.root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                                   env={**os.environ, "GOMP_SPINCOUNT": "0"},
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (30, 30)))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, process.returncode, err.read()


def fault(seconds, memory, size, code, err):
    found = []
    if code != 2:
        found.append(f"exit {code}")
    elif tiny.refusals(err) != 1:
        found.append(f"{tiny.refusals(err)} refusals")
    if len(err) > kMessage:
        found.append(f"a message of {len(err)} bytes")
    if seconds > kSeconds:
        found.append("too slow")
    if memory > size + kMemory:
        found.append("too much memory")
    return ", ".join(found)


def idle(binary, work):
    """Seconds and bytes that it takes to refuse a file that is missing."""
    made = [measured(binary, [command, work / "nothing", *rest])
            for command, rest in (("plan", []), ("import", [work / "made"]), ("classify", []))]
    return min(row[0] for row in made), max(row[1] for row in made)


def main(binary):
    work = pathlib.Path(tempfile.mkdtemp(prefix="lmzoo-cost-"))
    bad, slowest, largest, count = 0, 0.0, 0, 0
    try:
        for name in ("classify", "cbow"):
            tiny.train(binary, work, name)
        idle_seconds, idle_memory = idle(binary, work)
        print(f"{'input':<30}{'seconds':>9}{'MiB':>8}  (beyond {idle_seconds:.2f} s, {idle_memory / 2**20:.0f} MiB of refusing a missing file)")
        for inputs in (yaml_inputs, published_inputs, file_inputs, argument_inputs, folder_inputs):
            for name, size, arguments in inputs(work):
                seconds, memory, code, err = measured(binary, arguments)
                seconds, memory = max(0, seconds - idle_seconds), max(0, memory - idle_memory)
                wrong = fault(seconds, memory, size, code, err)
                count, slowest, largest = count + 1, max(slowest, seconds), max(largest, memory)
                bad += bool(wrong)
                print(f"{name:<30}{seconds:>9.2f}{memory / 2**20:>8.1f}  {wrong}{': ' + repr(err[-200:]) if wrong else ''}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"cost: {count} hostile inputs, {count - bad} refused within {kSeconds:.0f} s and {kMemory >> 20} MiB beyond their size, {bad} not; "
          f"at most {slowest:.2f} s and {largest / 2**20:.0f} MiB")
    return 1 if bad or not count else 0


if __name__ == "__main__":
    sys.exit(main(str(pathlib.Path(sys.argv[1]).resolve())))
