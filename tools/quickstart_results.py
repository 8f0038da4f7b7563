#!/usr/bin/env python3
"""Gathers what the quickstart's runs say: a table on the terminal, and results.json for `lmzoo report`.

    tools/quickstart_results.py LMZOO RUNS SEED...

Validation loss before and after pre-training comes from metrics.jsonl, accuracies from `lmzoo eval` on the test split.
"""
import collections
import json
import pathlib
import statistics
import subprocess
import sys

FAMILIES = {"bert": "masked LM", "gpt": "next token", "t5": "span corruption"}
TEST = "corpora/wordnet/lexname.test.tsv"
# Minutes teach how glosses are written and what they are about, not what is true: so ends of common phrases, and a class.
SAMPLES = [
    ("A class of a gloss", "gpt-tuned-1", ["classify", "--top", "3"], "a large wild cat with a striped coat"),
    ("A filled mask", "bert", ["fill-mask", "--top", "3"], "painter: a [MASK] who paints pictures"),
    ("An infilled span", "t5", ["infill", "--temperature", "0"], "painter: a <extra_id_0> paints pictures"),
    ("A gloss written on", "gpt", ["generate", "--temperature", "0.5", "--max-tokens", "30", "--seed", "1"], "oak: a tree with"),
]


def run(lmzoo, *arguments):
    finished = subprocess.run([lmzoo, *arguments], capture_output=True, text=True)
    if finished.returncode != 0:
        sys.exit(f"quickstart: `lmzoo {' '.join(arguments)}` failed: {finished.stderr.strip()}")
    return json.loads(finished.stdout)


def rows(folder, kind):
    return [row for row in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines()) if row["kind"] == kind]


def majority_share():
    labels = [line.rstrip("\n").split("\t")[1] for line in open(TEST, encoding="utf-8")]
    return collections.Counter(labels).most_common(1)[0][1] / len(labels)


def accuracies(lmzoo, runs, family, how, seeds):
    return [run(lmzoo, "eval", str(runs / f"{family}-{how}-{seed}"), "--data", TEST, "--json")["accuracy"] for seed in seeds]


def spread(values):
    mean = f"{statistics.mean(values):.3f}"
    return f"{mean} ± {statistics.stdev(values):.3f}" if len(values) > 1 else mean


def family_row(lmzoo, runs, family, seeds, majority):
    evals = rows(runs / family, "eval")
    before, after = evals[0], evals[-1]
    tuned = accuracies(lmzoo, runs, family, "tuned", seeds)
    scratch = accuracies(lmzoo, runs, family, "scratch", seeds)
    plan = run(lmzoo, "plan", str(runs / family / "config.yaml"), "--json")
    row = [
        f"{family} ({FAMILIES[family]})", f"{plan['parameters']:,}", f"{rows(runs / family, 'train')[-1]['tokens']:,}",
        f"{before['loss']:.2f} → {after['loss']:.2f}", f"{before['perplexity']:,.0f} → {after['perplexity']:,.1f}",
        spread(tuned), spread(scratch), f"{majority:.3f}"]
    gap = statistics.mean(tuned) - statistics.mean(scratch)
    noise = max(statistics.stdev(tuned), statistics.stdev(scratch)) if len(seeds) > 1 else 0
    picture = [{"name": f"{family}, fine-tuned", "values": tuned, "color": 0}, {"name": f"{family}, from scratch", "values": scratch, "color": 1}]
    return row, gap > noise, picture


def sample(lmzoo, runs, title, name, command, prompt):
    answer = run(lmzoo, command[0], str(runs / name), "--text", prompt, *command[1:], "--json")
    if command[0] == "fill-mask":
        text = ", ".join(f"{f['piece'].strip('▁')} ({f['probability']:.2f})" for f in answer["masks"][0])
    elif command[0] == "classify":
        text = ", ".join(f"{c['class']} ({c['probability']:.2f})" for c in answer[0]["classes"])
    elif command[0] == "infill":
        text = " | ".join(answer["spans"])
    else:
        text = answer["text"]
    return {"title": f"{title} ({name})", "prompt": prompt, "answer": text}


def main():
    lmzoo, runs, seeds = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    majority = majority_share()
    head = ["family", "parameters", "tokens seen", "valid loss", "perplexity", "accuracy, fine-tuned",
            "accuracy, scratch", "majority class"]
    table, beats, points = [], [], []
    for family in FAMILIES:
        row, better, picture = family_row(lmzoo, runs, family, seeds, majority)
        table.append(row)
        points += picture
        beats.append(better)
    samples = [sample(lmzoo, runs, *entry) for entry in SAMPLES]
    note = (f"Accuracy: gloss to one of 45 lexicographer classes, test split, 2,000 labeled examples to train on, "
            f"{len(seeds)} seed(s), mean ± standard deviation. Loss and perplexity: each family's own objective on the "
            f"validation split, before and after pre-training; they do not compare between objectives.")
    pictures = [{"title": "Accuracy on the test split, a point a seed: what pre-training is worth", "rows": points}]
    results = {"title": "lmzoo quickstart", "pictures": pictures, "tables": [{"title": "Results", "note": note, "head": head, "rows": table}],
               "samples": samples}
    (runs / "results.json").write_text(json.dumps(results, ensure_ascii=False, indent=1), encoding="utf-8")

    widths = [max(len(line[i]) for line in [head, *table]) for i in range(len(head))]
    for line in [head, *table]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    print()
    for entry in samples:
        print(f"{entry['title']}: {entry['prompt']} -> {entry['answer']}")
    for family, better in zip(FAMILIES, beats):
        if not better:
            print(f"quickstart: pre-training did not beat scratch by more than the seed spread for {family}")


if __name__ == "__main__":
    main()
