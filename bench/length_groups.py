#!/usr/bin/env python3
"""Positions that one pass over a training set computes, relative to the tokens that are there, for ways to make batches.

    bench/length_groups.py FOLDER [--model checkpoints/minilm]

FOLDER holds cola.train.tsv and sst2.train.tsv. Groups as Hugging Face makes them: a random order, cut into mega-batches
of 50 batches, each sorted by length. Needs transformers (bench/peers.py makes .venv-peer); prints the table of
docs/decisions/004-no-length-groups.md.
"""
import argparse
import pathlib
import random
import sys

import transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "vs_trainer"))
import tasks  # noqa: E402

BATCH, MEGA_BATCHES = 32, 50


def batches_of(lengths):
    return [lengths[i:i + BATCH] for i in range(0, len(lengths), BATCH)]


def grouped(lengths):
    size = BATCH * MEGA_BATCHES
    return [n for i in range(0, len(lengths), size) for n in sorted(lengths[i:i + size], reverse=True)]


def to_longest(batches):
    return sum(len(batch) * max(batch) for batch in batches)


def spread(batches):
    sums = [sum(batch) for batch in batches if len(batch) == BATCH]
    return f"{min(sums)}-{max(sums)}"


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--model", default="checkpoints/minilm")
args = parser.parse_args()
tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
for task in ("cola", "sst2"):
    texts, _ = tasks.read(task, "train", args.folder)
    lengths = [min(len(ids), tasks.MAX_LENGTH) for ids in tokenizer(texts)["input_ids"]]
    random.Random(1).shuffle(lengths)
    tokens = sum(lengths)
    plain, sorted_ = batches_of(lengths), batches_of(grouped(lengths))
    print(f"{task}: mean length {tokens / len(lengths):.1f}, padded to 128 {len(lengths) * 128 / tokens:.2f}, "
          f"to the longest {to_longest(plain) / tokens:.2f}, grouped {to_longest(sorted_) / tokens:.2f}, packed 1; "
          f"tokens of a batch: random {spread(plain)}, grouped {spread(sorted_)}")
