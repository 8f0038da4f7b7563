#!/usr/bin/env python3
"""Words per second of lmzoo and of what else trains word vectors on a CPU, side by side.

    bench/word2vec/run.py [--lmzoo build/release/lmzoo] [--gensim PYTHON] [--fasttext BINARY] [--word2vec-c NAME=BINARY ...]
                          [--corpus FILE ...] [--words N] [--widths 300,100] [--threads 2,1] [--rounds 3] [--out FILE.json]

PYTHON is an interpreter that has gensim 4; a BINARY of word2vec.c may be given several times. The text is the first N
words of the files in shuffled order of their lines (default: corpora/gcide and corpora/wordnet, of tools/gcide.py and
tools/wordnet.py). All are told the same: window 5, 5 negatives, sample 1e-3, min_count 5; and all count the words of the
text before frequent words are left out, and the seconds of training alone. In a round each tool has its turn, so that a
slower minute of the machine hits all; the table has medians and ranges of the rounds.

What lmzoo's words cost, for the share of the machine's limits (`lmzoo bench machine`), with D the width, T outputs of a
prediction (negatives + 1, or the mean length of a path in the tree), P predictions and K words that are kept:
  operations  6 D T P: a product of rows, and their changes; cbow also adds up and changes about 6 rows a word: 24 D K
  bytes       8 D (T + 1) a group, read and written: its outputs and the one word that enters the window; the other words
              around are still in the cache. A group is a kept word, or with share_negatives none a prediction. Rows that
              are often used need no memory, so this is more than there is.
"""
import argparse
import heapq
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# name, cbow, hierarchical softmax, a setting that only lmzoo has
KINDS = [("skipgram negative, own negatives", False, False, "none"), ("skipgram negative", False, False, "center"),
         ("skipgram hierarchical", False, True, "center"), ("cbow negative", True, False, "center"),
         ("cbow hierarchical", True, True, "center")]
EPOCHS = 3  # of lmzoo, which would be done too soon to be timed


def shuffled_text(files, words, path):
    lines = [line for file in files for line in open(file, encoding="utf-8")]
    random.Random(1).shuffle(lines)
    count = 0
    with open(path, "w", encoding="utf-8") as out:
        for line in lines:
            out.write(line)
            count += len(line.split())
            if count >= words:
                return


def output_of(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout + done.stderr


class Lmzoo:
    def __init__(self, binary, folder, corpus, deterministic):
        self.binary, self.folder, self.corpus, self.deterministic = binary, folder, corpus, deterministic

    def rate(self, case):
        if self.deterministic and case["threads"] == 1:
            return None  # it always is
        run = os.path.join(self.folder, "run")
        shutil.rmtree(run, ignore_errors=True)
        config = os.path.join(self.folder, "bench.yaml")
        with open(config, "w") as out:
            out.write(f"""name: bench
tokenizer: {{type: words, lower: false}}
data: {{train: {{files: ["{self.corpus}"]}}, cache_dir: "{self.folder}/cache"}}
model: {{type: word2vec, width: {case['width']}}}
objective:
  type: {'cbow' if case['cbow'] else 'skipgram'}
  output: {'hierarchical_softmax' if case['hs'] else 'negative_sampling'}
  share_negatives: {case['share']}
train: {{epochs: {EPOCHS}, threads: {case['threads']}, deterministic: {str(self.deterministic).lower()}}}
""")
        output_of([self.binary, "train", config, "--out", run])
        with open(os.path.join(run, "metrics.jsonl")) as rows:
            last = json.loads(rows.readlines()[-1])
        with open(os.path.join(run, "tokenizer", "words.tsv"), encoding="utf-8") as words:
            counts = [int(line.rsplit("\t", 1)[1]) for line in words]
        case["costs"] = costs(case, counts, last["labels"] / last["tokens"])
        return last["tokens"] / last["seconds"]


def costs(case, counts, predictions):
    """Operations and bytes of a word of the text."""
    total = sum(counts)
    kept = []
    for count in counts:
        ratio = count / total / 1e-3
        kept.append(count * min(1, (ratio ** 0.5 + 1) / ratio))
    share = sum(kept) / total
    outputs = 6 if not case["hs"] else path_length(counts, kept)
    operations = 6 * case["width"] * outputs * predictions + (24 * case["width"] * share if case["cbow"] else 0)
    groups = predictions if case["share"] == "none" else share
    return {"operations": operations, "bytes": 8 * case["width"] * (outputs + 1) * groups}


def path_length(counts, weights):
    """Of the Huffman tree of `counts`, the mean over words of these weights."""
    heap = [(count, i) for i, count in enumerate(counts)]
    heapq.heapify(heap)
    parent = {}
    number = len(counts)
    while len(heap) > 1:
        one, two = heapq.heappop(heap), heapq.heappop(heap)
        parent[one[1]] = parent[two[1]] = number
        heapq.heappush(heap, (one[0] + two[0], number))
        number += 1
    depth = {number - 1: 0}
    for node in range(number - 2, -1, -1):
        depth[node] = depth[parent[node]] + 1
    return sum(depth[i] * weight for i, weight in enumerate(weights)) / sum(weights)


class Gensim:
    def __init__(self, python, corpus):
        self.process = subprocess.Popen([python, os.path.join(HERE, "peer_gensim.py"), corpus, "--serve"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def rate(self, case):
        line = f"--width {case['width']} --threads {case['threads']}" + " --cbow" * case["cbow"] + " --hs" * case["hs"]
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["words_per_s"]


class Word2vecC:
    """Its own rate is of a thread's CPU time."""

    def __init__(self, binary, folder, corpus):
        self.binary, self.folder, self.corpus = binary, folder, corpus

    def rate(self, case):
        text = output_of([
            self.binary, "-train", self.corpus, "-output", os.path.join(self.folder, "vectors"), "-size",
            str(case["width"]), "-window", "5", "-sample", "1e-3", "-negative", "0" if case["hs"] else "5", "-hs",
            str(int(case["hs"])), "-threads", str(case["threads"]), "-iter", "1", "-min-count", "5", "-cbow",
            str(int(case["cbow"])), "-binary", "1"])
        return 1000 * float(re.findall(r"Words/thread/sec: ([\d.]+)k", text)[-1]) * case["threads"]


class FastText:
    def __init__(self, binary, folder, corpus):
        self.binary, self.folder, self.corpus = binary, folder, corpus

    def rate(self, case):
        text = output_of([
            self.binary, "cbow" if case["cbow"] else "skipgram", "-input", self.corpus, "-output",
            os.path.join(self.folder, "fasttext"), "-dim", str(case["width"]), "-ws", "5", "-neg", "5", "-t", "1e-3",
            "-loss", "hs" if case["hs"] else "ns", "-thread", str(case["threads"]), "-epoch", "1", "-minCount", "5",
            "-maxn", "0", "-bucket", "1"])
        return float(re.findall(r"words/sec/thread:\s*(\d+)", text)[-1]) * case["threads"]


def cases(options):
    for name, cbow, hs, share in KINDS:
        if options.kinds in name:
            for width in map(int, options.widths.split(",")):
                for threads in map(int, options.threads.split(",")):
                    yield {"kind": name, "cbow": cbow, "hs": hs, "share": share, "width": width, "threads": threads}


def measure(case, tools, rounds):
    rates = {name: [] for name in tools}
    for _ in range(rounds):
        for name, tool in tools.items():
            rate = tool.rate(case)
            if rate is not None:
                rates[name].append(rate)
    return {name: measured for name, measured in rates.items() if measured}


def print_row(case, machine):
    ours = case["rates"]["lmzoo"]
    middle = statistics.median(ours)
    peak = machine["fma_flops_per_s_1" if case["threads"] == 1 else "fma_flops_per_s"]
    cells = [case["kind"], f"{case['width']}", f"{case['threads']}",
             f"{middle / 1e3:,.0f} ({min(ours) / 1e3:,.0f}-{max(ours) / 1e3:,.0f})",
             f"{middle * case['costs']['operations'] / peak:.0%}",
             f"{middle * case['costs']['bytes'] / machine['copy_bytes_per_s']:.0%}"]
    for name, rates in case["rates"].items():
        if name != "lmzoo":  # ratios of the same round
            ratios = [one / other for one, other in zip(ours, rates)]
            cells.append(f"{name} {statistics.median(rates) / 1e3:,.0f}: "
                         f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lmzoo", default="build/release/lmzoo")
    parser.add_argument("--gensim", metavar="PYTHON")
    parser.add_argument("--word2vec-c", metavar="NAME=BINARY", action="append", default=[])
    parser.add_argument("--fasttext", metavar="BINARY", default=shutil.which("fasttext"), help="empty: without it")
    parser.add_argument("--corpus", nargs="+", default=["corpora/gcide/train.txt", "corpora/wordnet/train.txt"])
    parser.add_argument("--words", type=int, default=1_000_000)
    parser.add_argument("--widths", default="300,100")
    parser.add_argument("--threads", default="2,1")
    parser.add_argument("--kinds", default="", help="part of a kind's name; empty: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        corpus = os.path.join(folder, "text.txt")
        shuffled_text(options.corpus, options.words, corpus)
        tools = {"lmzoo": Lmzoo(options.lmzoo, folder, corpus, False),
                 "deterministic": Lmzoo(options.lmzoo, folder, corpus, True)}
        if options.gensim:
            tools["gensim"] = Gensim(options.gensim, corpus)
        for given in options.word2vec_c:
            name, _, path = given.rpartition("=")
            tools[name or "word2vec.c"] = Word2vecC(path, folder, corpus)
        if options.fasttext:
            tools["fasttext"] = FastText(options.fasttext, folder, corpus)
        machine = json.loads(output_of([options.lmzoo, "bench", "machine", "--json"]))
        print("| kind | d | threads | lmzoo, thousand words/s | of FMA peak | of bandwidth, at most | "
              "others: thousand words/s, lmzoo over it |\n|---|---|---|---|---|---|---|")
        results = []
        for case in cases(options):
            case["rates"] = measure(case, tools, options.rounds)
            print_row(case, machine)
            results.append(case)
        if options.out:
            with open(options.out, "w") as out:
                json.dump({"date": time.strftime("%Y-%m-%d"), "machine": machine, "results": results}, out, indent=1)


if __name__ == "__main__":
    main()
