#!/usr/bin/env python3
"""Word similarity and analogies of vectors by lmzoo and by gensim at equal settings, several seeds each.

    PYTHON bench/word2vec/quality.py --corpus TEXT ... --work FOLDER [--lmzoo build/release/lmzoo] [--seeds 1,2,3]
                                     [--epochs 5] [--cases skipgram-center,...] [--questions questions-words.txt]

PYTHON is an interpreter with gensim 4, which brings wordsim353 and simlex999 as its test data. Both tools read the same
text (lower case, words of letters) and are judged by the same code, gensim's: Spearman's rho of the two lists over the
words that are known, and the share of right answers (3CosAdd over the 30,000 most frequent words; questions with unknown
words are left out). Prints mean, standard deviation and values of the seeds. What FOLDER/results.jsonl already has is
not trained again, so the work can be done in parts.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import time

import gensim.test.utils
import numpy
from gensim.models import KeyedVectors

HERE = os.path.dirname(os.path.abspath(__file__))
# gensim-1 is gensim with one worker. With a text file and N workers gensim 4 lowers the learning rate too slowly: each
# worker counts its own words against those of the whole text, so a pass ends 1/N of the way to the next one's rate.
TOOLS = ("lmzoo", "gensim", "gensim-1")
# name: objective and its settings here, and the flags of gensim's run (None: it has no such sharing)
CASES = {
    "skipgram-none": ("skipgram", {"share_negatives": "none"}, []),
    "skipgram-center": ("skipgram", {"share_negatives": "center"}, None),
    "skipgram-window": ("skipgram", {"share_negatives": "window"}, None),
    "skipgram-tree": ("skipgram", {"output": "hierarchical_softmax"}, ["--hs"]),
    "cbow-center": ("cbow", {"share_negatives": "center"}, ["--cbow"]),
    "cbow-window": ("cbow", {"share_negatives": "window"}, None),
    "cbow-tree": ("cbow", {"output": "hierarchical_softmax"}, ["--cbow", "--hs"]),
}


def prepare(paths, out):
    word = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
    with open(out, "w") as target:
        for path in paths:
            with open(path, errors="replace") as source:
                for line in source:
                    words = word.findall(line.lower())
                    if len(words) > 1:
                        target.write(" ".join(words) + "\n")


def tensor(path, name):
    with open(path, "rb") as source:
        size, = struct.unpack("<Q", source.read(8))
        entry = json.loads(source.read(size))[name]
        source.seek(8 + size + entry["data_offsets"][0])
        count = entry["data_offsets"][1] - entry["data_offsets"][0]
        return numpy.frombuffer(source.read(count), dtype="<f4").reshape(entry["shape"])


def lmzoo_vectors(options, corpus, case, seed):
    kind, settings, _ = CASES[case]
    run = os.path.join(options.work, "run")
    shutil.rmtree(run, ignore_errors=True)
    config = os.path.join(options.work, "quality.yaml")
    more = "".join(f", {key}: {value}" for key, value in settings.items())
    with open(config, "w") as out:
        out.write(f"""name: quality
seed: {seed}
tokenizer: {{type: words, lower: false}}
data: {{train: {{files: ["{corpus}"]}}, cache_dir: "{os.path.join(options.work, 'cache')}"}}
model: {{type: word2vec, width: {options.width}}}
objective: {{type: {kind}{more}}}
train: {{epochs: {options.epochs}, threads: 2}}
""")
    done = subprocess.run([options.lmzoo, "train", config, "--out", run], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    with open(os.path.join(run, "tokenizer", "words.tsv")) as rows:
        words = [row.split("\t")[0] for row in rows]
    checkpoint = os.path.join(run, "checkpoints", sorted(os.listdir(os.path.join(run, "checkpoints")))[-1])
    vectors = KeyedVectors(options.width)
    vectors.add_vectors(words, tensor(os.path.join(checkpoint, "model.safetensors"), "model.tokens.weight"))
    return vectors


def gensim_vectors(options, corpus, case, seed, workers):
    out = os.path.join(options.work, "gensim.txt")
    subprocess.run([sys.executable, os.path.join(HERE, "peer_gensim.py"), corpus, "--width", str(options.width),
                    "--threads", str(workers), "--epochs", str(options.epochs), "--seed", str(seed), "--out", out,
                    *CASES[case][2]],
                   check=True, capture_output=True)
    return KeyedVectors.load_word2vec_format(out)


def scores(vectors, questions):
    data = gensim.test.utils.datapath
    result = {}
    for name, file in [("wordsim353", "wordsim353.tsv"), ("simlex999", "simlex999.txt")]:
        _, spearman, unknown = vectors.evaluate_word_pairs(data(file))
        result[name] = float(spearman.correlation)
        result[name + " known"] = 100 - float(unknown)
    if questions:
        share, sections = vectors.evaluate_word_analogies(questions, restrict_vocab=30000)
        result["analogies"] = float(share)
        result["analogies known"] = len(sections[-1]["correct"]) + len(sections[-1]["incorrect"])
    return result


def report(rows):
    for case in CASES:
        for tool in TOOLS:
            mine = [row for row in rows if (row["case"], row["tool"]) == (case, tool)]
            for name in ("wordsim353", "simlex999", "analogies"):
                values = [row["scores"][name] for row in mine if name in row["scores"]]
                if len(values) > 1:
                    print(f"{case:16} {tool:8} {name:11} {statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}  "
                          f"{' '.join(f'{v:.4f}' for v in values)}  known {mine[0]['scores'][name + ' known']:.4g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", nargs="+", required=True)
    parser.add_argument("--work", required=True, help="folder for the prepared text, a run, and results.jsonl")
    parser.add_argument("--lmzoo", default="build/release/lmzoo")
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--tools", default="lmzoo,gensim")
    parser.add_argument("--questions")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    corpus = os.path.join(options.work, "corpus.txt")
    if not os.path.exists(corpus):
        prepare(options.corpus, corpus)
    results = os.path.join(options.work, "results.jsonl")
    rows = []
    if os.path.exists(results):
        with open(results) as lines:
            rows = [json.loads(line) for line in lines]
    done = {(row["case"], row["tool"], row["seed"]) for row in rows}
    for seed in map(int, options.seeds.split(",")):
        for case in options.cases.split(","):
            for tool in options.tools.split(","):
                if (case, tool, seed) in done or (tool != "lmzoo" and CASES[case][2] is None):
                    continue
                began = time.perf_counter()
                vectors = (lmzoo_vectors(options, corpus, case, seed) if tool == "lmzoo" else
                           gensim_vectors(options, corpus, case, seed, 1 if tool == "gensim-1" else 2))
                rows.append({"case": case, "tool": tool, "seed": seed, "scores": scores(vectors, options.questions),
                             "seconds": time.perf_counter() - began})
                with open(results, "a") as out:
                    out.write(json.dumps(rows[-1]) + "\n")
    report(rows)


if __name__ == "__main__":
    main()
