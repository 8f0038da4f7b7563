"""The program itself among damaged files: every command that reads one must answer a mutant with a result or with one
line and exit 2, in bounded time and memory. tests/reliability/mutants.sh says how it is called.
"""
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile
import time
import zlib

import tiny

kSeconds = 20
kMemory = 6 << 30  # of address space, of which LibTorch maps a third before the first byte is read


# --- what is damaged, and who is asked -------------------------------------------------------------------------

RUNS = ("classify", "bert", "gpt", "t5", "cbow", "tags", "answers", "choices", "text_to_text", "multi_label", "regression")


def make_zoo(binary, work):
    published = {"gpt": ("model.positions=learned", "tokenizer.type=byte_bpe", "tokenizer.vocab_size=300"),
                 "bert": ("tokenizer.type=wordpiece", "tokenizer.vocab_size=150")}
    for name in RUNS:
        tiny.train(binary, work, name, *published.get(name, ()))
    for name in ("bert", "gpt", "t5"):
        tiny.must([binary, "export", work / name, work / "hf" / name])
    tiny.must([binary, "embed", work / "cbow", "--all", "--out", work / "vectors.bin"])
    tiny.must([binary, "embed", work / "cbow", "--all", "--out", work / "vectors.txt", "--format", "text"])
    tiny.small_files(work)
    for config in ("bert", "pair", "lora", "completion", "skipgram"):
        shutil.copy(tiny.root / f"configs/debug/{config}.yaml", work / f"{config}.yaml")


def cases(binary, work):
    """(folder or file that is copied, file in it that is damaged, commands; {} is the copy)."""
    one = ["--threads", "1"]
    made = []

    def case(what, damaged, *commands):
        made.append((work / what, damaged, [[binary, *map(str, command)] for command in commands]))

    def resume(name):
        return ["train", work / name / "config.yaml", "--out", "{}", "--resume"]

    texts = ["--file", work / "prompts.txt", *one]
    asks = {"classify": ["classify", "{}", *texts], "gpt": ["generate", "{}", "--max-tokens", "3", *texts],
            "t5": ["infill", "{}", "--text", "the <extra_id_0> owl", *one], "tags": ["tag", "{}", *texts],
            "bert": ["fill-mask", "{}", "--text", "the old [MASK] sleeps", *one]}
    for name, ask in asks.items():
        step = "checkpoints/step-0000012"
        case(name, "config.yaml", ask, resume(name), ["plan", "{}/config.yaml"])
        for part in ("model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"):
            case(name, f"{step}/{part}", ask, resume(name), ["doctor", "{}"])
        for path in sorted((work / name / "tokenizer").iterdir()):
            case(name, f"tokenizer/{path.name}", ask, ["tokenizer", "encode", "{}", "--text", "the old owl"])
        case(name, "metrics.jsonl", ["report", "{}"], resume(name), ["doctor", "{}"])
    for name in ("classify", "tags"):
        for part in ("classes.json", "manifest.json"):
            case(name, part, asks[name], resume(name), ["doctor", "{}"])
    for name in ("bert", "gpt", "t5"):
        for path in sorted((work / "hf" / name).iterdir()):
            case(f"hf/{name}", path.name, ["import", "{}", "{}.run"], asks[name])
        for path in sorted((work / "cache" / name).glob("tokens-*")):
            case(path.relative_to(work), "", ["doctor", "{}"])
    for name in ("bert", "pair", "lora", "completion", "skipgram"):
        case(f"{name}.yaml", "", ["plan", "{}"], ["plan", "{}", "--no-data"])
    for name in ("answers", "choices", "tags", "text_to_text", "multi_label", "regression"):
        case("tasks.jsonl", "", ["eval", work / name, "--data", "{}", *one])
    case("mood.tsv", "", ["eval", work / "classify", "--data", "{}", *one])
    case("text.txt", "", ["eval", work / "gpt", "--data", "{}", *one], ["embed", work / "gpt", "--file", "{}", *one])
    for vectors in ("vectors.txt", "vectors.bin"):
        case(vectors, "", ["neighbors", "{}", "owl"], ["similarity", "{}", work / "pairs.tsv"], ["embed", "{}", "--text", "owl"])
    case("questions.txt", "", ["analogy", work / "cbow", "{}"])
    case("pairs.tsv", "", ["similarity", work / "cbow", "{}"])
    case("ids.jsonl", "", ["forward", work / "classify", "--input", "{}", "--out", "{}.out", *one],
         ["tokenizer", "encode", work / "classify", "--jsonl", "{}"])
    case("ids_t5.jsonl", "", ["forward", work / "t5", "--input", "{}", "--out", "{}.out", *one])
    case("results.json", "", ["report", work / "gpt", "--results", "{}", "--out", "{}.html"])
    case("prompts.txt", "", *[[ask[0], work / name, "--file", "{}", *one] for name, ask in asks.items() if name not in ("t5", "bert")])
    return made


# --- damage -----------------------------------------------------------------------------------------------------

TOKENS = [b"", b"[]", b"{}", b"null", b"true", b"-1", b"0", b"NaN", b"1e400", b"-0.0", b"1.5", b'"', b"\\", b"\x00", b"\xff", b"\n",
          b"\r\n", b"\t", b" ", b",", b":", b"- ", b"&a ", b"*a", b"!!x ", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\x1b[31m", b"{a,b}",
          b"[" * 200, b'{"a":' * 200, b"x" * 70000, b"../../../etc/passwd", b"%s%n", b"\x1f\x8b\x08\x00", b"PK\x03\x04"]
NUMBERS = [b"0", b"-1", b"1", b"2147483647", b"2147483648", b"4294967296", b"9223372036854775807", b"9223372036854775808",
           b"18446744073709551615", b"99999999999999999999999", b"1e308", b"1e-320", b"0.5", b"1000000", b"1000000000", b"65537"]


def mutate(content, draw):
    content = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        at = draw.randrange(len(content) + 1)
        run = draw.randrange(1, 17)
        kind = draw.randrange(11)
        if kind == 0 and at < len(content):
            content[at] ^= 1 << draw.randrange(8)
        elif kind == 1 and at < len(content):
            content[at] = draw.randrange(256)
        elif kind == 2:
            del content[at : at + run]
        elif kind == 3:
            content[at:at] = content[at : at + run]
        elif kind == 4:
            other = draw.randrange(len(content) + 1)
            content[other:other] = content[at : at + run]
        elif kind == 5:
            del content[len(content) - draw.randrange(len(content) // 3 + 1) :]
        elif kind == 6:
            content[at:at] = draw.choice(TOKENS)
        elif kind in (7, 8):
            numbers = list(re.finditer(rb"-?\d+(\.\d+)?", bytes(content[: 1 << 16])))
            if numbers:
                number = draw.choice(numbers)
                content[number.start() : number.end()] = draw.choice(NUMBERS)
        elif kind == 9:
            lines = bytes(content).split(b"\n")
            line = draw.randrange(len(lines))
            lines[line : line + 1] = draw.choice(([], [lines[line]] * 2, [lines[draw.randrange(len(lines))]]))
            content = bytearray(b"\n".join(lines))
        else:
            words = list(re.finditer(rb'"[^"]*"|\w+', bytes(content[: 1 << 16])))
            if words:
                word = draw.choice(words)
                content[word.start() : word.end()] = draw.choice((draw.choice(TOKENS), draw.choice(words).group()))
    return bytes(content)


def mend_manifests(file):
    """The manifests that list the file, or each other, say what is there now: half of the mutants get behind the checksums."""
    for folder in list(file.parents)[:3]:
        manifest, name = folder / "manifest.json", file.relative_to(folder).as_posix()
        if file == manifest or not manifest.exists():
            continue
        known = json.loads(manifest.read_text())
        if name in known["files"]:
            content = file.read_bytes()
            known["files"][name] = {"size": len(content), "crc32": f"{zlib.crc32(content):08x}"}
            manifest.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n")
            file = manifest


def check_mending(folder):
    """Mending what is not damaged changes no byte: the manifests are written here as lmzoo writes them."""
    manifest = folder / "manifest.json"
    before = manifest.read_bytes()
    mend_manifests(folder / "state.json")
    if manifest.read_bytes() != before:
        raise SystemExit(f"{manifest}: lmzoo writes manifests in another way")


# --- one mutant ---------------------------------------------------------------------------------------------------


def verdict(ran, is_train):
    if ran.code is None:
        return f"over {kSeconds} s"
    if ran.code == 0:
        return "accepted"
    if ran.code != 2:
        return f"exit {ran.code}" if ran.code > 0 else f"signal {-ran.code}"
    lines = tiny.errors_of(ran.err)
    if not lines:
        return "accepted" if ran.out else "exit 2 without a word"
    if tiny.refusals(ran.err) > 1 and not is_train:
        return f"exit 2 with {len(lines)} lines"
    if any(ord(letter) < 32 and letter != "\t" for line in lines for letter in line):
        return "exit 2 with control characters"
    return "refused"


def try_mutant(seed, all_cases, scratch):
    draw = random.Random(seed)
    source, damaged, commands = draw.choice(all_cases)
    command = draw.choice(commands)
    copy = scratch / str(seed) / source.name
    copy.parent.mkdir(parents=True)
    shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    file = copy / damaged if damaged else copy
    file.write_bytes(mutate(file.read_bytes(), draw))
    if draw.randrange(2):
        mend_manifests(file)
    ran = tiny.run([part.replace("{}", str(copy)) for part in command], seconds=kSeconds, memory=kMemory)
    what = verdict(ran, command[1] == "train")
    shutil.rmtree(copy.parent)
    name = f"{source.name}/{damaged}" if damaged else source.name
    return seed, name, command[1], what, ran.err.decode(errors="replace").strip()[-300:]


def main(budget, binary):
    seconds = float(budget[:-1]) if budget.endswith("s") else None
    count = None if seconds else int(budget)
    first = int(os.environ.get("SEED", "1"))
    binary = str(pathlib.Path(binary).resolve())
    work = pathlib.Path(tempfile.mkdtemp(prefix="lmzoo-mutants-"))
    figures, wrong = {}, []
    try:
        make_zoo(binary, work)
        everything = cases(binary, work)
        check_mending(work / "gpt/checkpoints/step-0000012")
        end = time.monotonic() + (seconds or 1e9)
        seed = first
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            running = set()
            while running or (time.monotonic() < end and (count is None or seed < first + count)):
                while len(running) < os.cpu_count() and time.monotonic() < end and (count is None or seed < first + count):
                    running.add(pool.submit(try_mutant, seed, everything, work / "mutants"))
                    seed += 1
                done, running = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    mutant, name, command, what, err = future.result()
                    figures[what] = figures.get(what, 0) + 1
                    if what not in ("refused", "accepted"):
                        wrong.append((mutant, name, command, what, err))
                        print(f"SEED={mutant} {name} {command}: {what}: {err!r}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    tried = sum(figures.values())
    print(f"mutants: {tried} tried, {figures.get('refused', 0)} refused in one line, {figures.get('accepted', 0)} accepted, "
          f"{len(wrong)} neither")
    return 1 if wrong or not tried else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
