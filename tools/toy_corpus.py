#!/usr/bin/env python3
"""Writes the toy corpus of configs/debug: short sentences of a small grammar, and a task of two classes.

    tools/toy_corpus.py [--out configs/debug/data]

train.txt, valid.txt   a sentence a line
mood.{train,valid}.tsv  sentence TAB class (calm or lively, decided by the verb)
tasks.{train,valid}.jsonl  a sentence with the labels of every kind of task: see task_record()

The sentences are drawn with a fixed seed, so the files are the same on every machine.
"""
import argparse
import json
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


def parts(rng, mood):
    who = [rng.choice(ADJECTIVES), rng.choice(NOUNS)]
    whom = [rng.choice(ADJECTIVES), rng.choice(NOUNS)]
    return {
        "who": who,
        "whom": whom,
        "verb": rng.choice(VERBS[mood]),
        "place": rng.choice(PLACES) if rng.random() < 0.6 else "",
        "time": rng.choice(TIMES) if rng.random() < 0.5 else "",
    }


def written(p):
    text = f"the {' '.join(p['who'])} {p['verb']} the {' '.join(p['whom'])}"
    return " ".join(part for part in (text, p["place"], p["time"]) if part)


def tags_of(p):
    tags = [("the", "O"), (p["who"][0], "B-WHO"), (p["who"][1], "I-WHO")]
    tags += [(word, "O") for word in p["verb"].split()]
    tags += [("the", "O"), (p["whom"][0], "B-WHO"), (p["whom"][1], "I-WHO")]
    tags += [(word, "I-WHERE" if i else "B-WHERE") for i, word in enumerate(p["place"].split())]
    return tags + [(word, "O") for word in p["time"].split()]


def task_record(rng):
    """text and mood; other, agree (whether both have one mood) and alike (words that both have, 0 to 5); topics (none
    to three); words and tags; question and answer (a part of text, or none); noun, choices and right (which of
    the sentences is about the noun); reply (the mood in words)."""
    mood, other_mood = rng.choice(sorted(VERBS)), rng.choice(sorted(VERBS))
    p, q = parts(rng, mood), parts(rng, other_mood)
    text, other = written(p), written(q)
    shared = len(set(text.split()) & set(other.split())) / len(set(text.split()) | set(other.split()))
    topics = [name for name, holds in (("animal", p["who"][1] in ("fox", "dog", "heron", "horse", "owl", "cat")),
                                       ("place", p["place"]), ("time", p["time"])) if holds]
    asked, answer = rng.choice([("who does it?", " ".join(p["who"])), ("where is it?", p["place"]),
                                ("when is it?", p["time"])])
    nouns = rng.sample(NOUNS, 3)
    choices = [f"the {rng.choice(ADJECTIVES)} {noun} {rng.choice(VERBS[mood])} them" for noun in nouns]
    right = rng.randrange(3)
    tagged = tags_of(p)
    return {
        "text": text,
        "mood": mood,
        "other": other,
        "agree": "yes" if mood == other_mood else "no",
        "alike": round(5 * shared, 2),
        "topics": topics,
        "words": [word for word, _ in tagged],
        "tags": [tag for _, tag in tagged],
        "question": asked,
        "answers": {"text": [answer], "answer_start": [text.index(answer)]} if answer else
                   {"text": [], "answer_start": []},
        "noun": nouns[right],
        "choices": choices,
        "right": right,
        "reply": f"it is {mood}",
    }


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
    rng = random.Random(2)
    for split, count in (("train", 160), ("valid", 32)):
        write(out / f"tasks.{split}.jsonl", [json.dumps(task_record(rng)) for _ in range(count)])


if __name__ == "__main__":
    main()
