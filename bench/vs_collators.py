#!/usr/bin/env python3
"""Masked LM as lmzoo draws it beside transformers' DataCollatorForLanguageModeling, on the same ids, counted by the same code.

    bench/vs_collators.py LMZOO [--examples 4000] [--python PYTHON]

The examples are those of `lmzoo inspect --json`; the collator gets what was there before. Prints the table of docs/objectives.md.
PYTHON has transformers and NumPy (default: the environment of bench/peers.py). Only NumPy tensors are made.
"""
import argparse
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

import peers

ROOT = peers.ROOT
PIECES = ["configs/debug/bert.yaml", "objective={type: masked_lm, dialect: hf, rate: 0.15}"]
WORDS = ["configs/debug/whole_words.yaml", "objective={type: masked_lm, dialect: %s, whole_words: true, rate: 0.15}"]
BINS = 20
SPECIAL = {"[PAD]": "pad", "[UNK]": "unk", "[CLS]": "cls", "[SEP]": "sep", "[MASK]": "mask", "<pad>": "pad", "<unk>": "unk",
           "<s>": "bos", "</s>": "eos"}


# ---- examples: {original, input, labels (None or id)}

def lmzoo_examples(lmzoo, arguments, count, cache):
    """What lmzoo made, and its pieces by id."""
    config, setting = arguments
    flags = ["--set", setting, "--set", f"data.cache_dir={cache}", "--json"]

    def run(*command):
        return json.loads(subprocess.run([lmzoo, *command, *flags], cwd=ROOT, check=True, capture_output=True).stdout)

    size = run("plan", config)["vocabulary"]
    pieces, examples = {}, []
    for shown in run("inspect", config, "-n", str(count)):
        positions = shown["sequences"][0]["positions"]
        for at in positions:
            pieces[at["id"]] = at["piece"]
            if at["label"] is not None:
                pieces[at["label"]] = at["label_piece"]
        labels = [at["label"] for at in positions]
        ids = [at["id"] for at in positions]
        examples.append({"original": [i if label is None else label for i, label in zip(ids, labels)], "input": ids, "labels": labels})
    return examples, {"pieces": pieces, "size": size}


PEER = """
import json, sys, warnings
import numpy, transformers
from tokenizers import Tokenizer, models
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast
asked = json.load(sys.stdin)
special = {int(i): name for i, name in asked["special"].items()}
vocabulary = {special.get(i, f"t{i}"): i for i in range(asked["size"])}
roles = {"pad": asked["roles"]["cls"], **asked["roles"]}  # it wants one, though nothing is padded
tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(vocabulary)),
                                    **{f"{role}_token": name for role, name in roles.items()})
assert len(tokenizer) == asked["size"], (len(tokenizer), asked["size"])
warnings.simplefilter("ignore")
collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15, whole_word_mask=asked["words"], return_tensors="np", seed=1)
made = []
for ids, begins in zip(asked["texts"], asked["begins"]):
    offsets, end = [], 0
    for begin in begins:  # a gap before each word
        end += 2 if begin else 1
        offsets.append([end - 1, end])
    features = {"input_ids": ids, "special_tokens_mask": [int(i in special) for i in ids]}
    if asked["words"]:
        features["offset_mapping"] = offsets
    batch = collate([features])
    labels = batch["labels"][0].tolist()
    made.append({"original": ids, "input": batch["input_ids"][0].tolist(), "labels": [None if label == -100 else label for label in labels]})
json.dump({"version": transformers.__version__, "examples": made}, sys.stdout)
"""


def peer_examples(python, texts, facts, words):
    asked = {"texts": texts, "begins": [begins_of(ids, facts) for ids in texts], "size": facts["size"], "words": words,
             "special": {i: piece for i, piece in facts["pieces"].items() if piece in SPECIAL},
             "roles": {SPECIAL[piece]: piece for piece in facts["pieces"].values() if piece in SPECIAL}}
    answer = subprocess.run([python, "-c", PEER], input=json.dumps(asked), capture_output=True, text=True)
    if answer.returncode:
        sys.exit(answer.stderr)
    answer = json.loads(answer.stdout)
    return answer["examples"], answer["version"]


# ---- statistics, the same for both

def begins_of(ids, facts):
    return [not facts["pieces"][i].startswith("##") for i in ids]


def chi_square_tail(x, degrees):
    """Exact, for odd degrees: the normal tail and a finite sum."""
    tail, term = math.erfc(math.sqrt(x / 2)), math.sqrt(2 * x / math.pi) * math.exp(-x / 2)
    for i in range(3, degrees + 1, 2):
        tail += term
        term *= x / i
    return tail


def evenness(places):
    """p of numbers in [0, 1) that should be even."""
    counts = [0] * BINS
    for place in places:
        counts[int(place * BINS)] += 1
    wanted = len(places) / BINS
    return chi_square_tail(sum((count - wanted) ** 2 / wanted for count in counts), BINS - 1)



def statistics(examples, facts, seed):
    stream = random.Random(seed)
    special = {i for i, piece in facts["pieces"].items() if piece in SPECIAL}
    mask = next(i for i, piece in facts["pieces"].items() if piece == "[MASK]")
    candidates = predicted = words = whole = cut = over = 0
    places, others = [], []
    masked = kept = other = 0
    for example in examples:
        may_be = [i for i, token in enumerate(example["original"]) if token not in special]
        chosen = [i for i in may_be if example["labels"][i] is not None]
        candidates, predicted = candidates + len(may_be), predicted + len(chosen)
        over += len(chosen) > max(1, round(0.15 * len(example["original"])))
        for original, shown in ((example["original"][i], example["input"][i]) for i in chosen):
            masked, kept = masked + (shown == mask), kept + (shown == original)
            if shown not in (mask, original):
                other += 1
                number = shown - (mask < shown) - (original < shown)
                others.append((number + stream.random()) / (facts["size"] - 2))
        begins = begins_of(example["original"], facts)
        units = []
        for i in may_be:
            units.append([i]) if begins[i] or i - 1 not in may_be else units[-1].append(i)
        hidden = [sum(example["labels"][i] is not None for i in unit) for unit in units]
        words, whole = words + len(units), whole + sum(n == len(unit) for n, unit in zip(hidden, units))
        cut += sum(0 < n < len(unit) for n, unit in zip(hidden, units))
        for number, (n, unit) in enumerate(zip(hidden, units)):
            if n:
                places.append((number + stream.random()) / len(units))
    share = lambda n, of: f"{n / of:.4f}" if of else "-"
    return {"tokens that could be predicted": f"{candidates:,}", "predicted tokens": share(predicted, candidates),
            "predicted words": share(whole, words), "words that are cut": share(cut, words), "texts with more than round(0.15 n)": share(over, len(examples)),
            "of predicted: [MASK]": share(masked, predicted), "kept": share(kept, predicted), "another": share(other, predicted),
            "places, p": f"{evenness(places):.2f}", "random ids, p": f"{evenness(others):.2f}" if len(others) > 200 else "-"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lmzoo", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--examples", type=int, default=4000)
    parser.add_argument("--python")
    args = parser.parse_args()
    python = args.python or peers.peer_python()
    columns = {}
    with tempfile.TemporaryDirectory() as cache:
        pieces, facts = lmzoo_examples(args.lmzoo, PIECES, args.examples, cache)
        columns["hf"] = statistics(pieces, facts, seed=1)
        made, version = peer_examples(python, [example["original"] for example in pieces], facts, words=False)
        columns[f"transformers {version}"] = statistics(made, facts, seed=2)
        for dialect in ("hf", "roberta"):
            examples, facts = lmzoo_examples(args.lmzoo, [WORDS[0], WORDS[1] % dialect], args.examples, cache)
            columns[f"{dialect}, whole words"] = statistics(examples, facts, seed=3)
        made, _ = peer_examples(python, [example["original"] for example in examples], facts, words=True)
        columns["transformers, whole words"] = statistics(made, facts, seed=4)
    print("| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for name in next(iter(columns.values())):
        print(f"| {name} | " + " | ".join(column[name] for column in columns.values()) + " |")


if __name__ == "__main__":
    main()
