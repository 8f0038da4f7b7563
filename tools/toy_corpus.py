#!/usr/bin/env python3
"""Writes the toy corpus of configs/debug: short sentences of a small grammar, and a task of two classes.

    tools/toy_corpus.py [--out configs/debug/data]

train.txt, valid.txt   a sentence a line
mood.{train,valid}.tsv  sentence TAB class (calm or lively, decided by the verb)

The sentences are drawn with a fixed seed, so the files are the same on every machine.
"""
import argparse
import pathlib
import random

VERBS = {
    "calm": ["sleeps beside", "waits for", "looks at", "sits near", "listens to"],
    "lively": ["runs after", "jumps over", "chases", "dances with", "shouts at"],
}
ADJECTIVES = ["small", "old", "red", "quiet", "clever", "hungry", "tall", "gray"]
NOUNS = ["fox", "dog", "heron", "miller", "child", "horse", "owl", "baker", "river", "cat"]
PLACES = ["in the garden", "by the mill", "under the bridge", "on the hill", "at the market", "near the old tower"]
TIMES = ["in the morning", "at noon", "every evening", "when it rains", "after the harvest"]


def sentence(rng, mood):
    subject = f"the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    target = f"the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    tail = " ".join(part for part in (rng.choice(PLACES), rng.choice(TIMES)) if rng.random() < 0.7)
    return f"{subject} {rng.choice(VERBS[mood])} {target} {tail}".strip() + "."


def write(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path}: {len(lines)} lines")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("configs/debug/data"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(1)
    moods = sorted(VERBS)
    for split, count in (("train", 240), ("valid", 40)):
        write(out / f"{split}.txt", [sentence(rng, rng.choice(moods)) for _ in range(count)])
        labeled = [(mood, sentence(rng, mood)) for mood in (rng.choice(moods) for _ in range(count))]
        write(out / f"mood.{split}.tsv", [f"{text}\t{mood}" for mood, text in labeled])


if __name__ == "__main__":
    main()
