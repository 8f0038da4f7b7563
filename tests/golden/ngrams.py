#!/usr/bin/env python3
"""Writes ngrams.json: the n-grams of words and their buckets as fastText has them, by an implementation of its own.

Needs gensim, whose hash and n-grams (made to agree with Facebook's binary models) must be the same.
"""
import json
import os

from gensim.models.fasttext_inner import compute_ngrams_bytes, ft_hash_bytes

WORDS = ["where", "a", "of", "owl", "owls", "naïve", "дом", "日本語", "😀", "e\u0301te", "don't", "x" * 12]
CASES = [(3, 6, 2_000_000), (1, 2, 1000), (2, 3, 7), (5, 40, 2_000_000)]


def fnv(data):
    state = 2166136261
    for byte in data:
        signed = byte - 256 if byte > 127 else byte
        state = ((state ^ (signed % (1 << 32))) * 16777619) % (1 << 32)
    return state


def ngrams(word, least, most):
    framed = f"<{word}>"
    for begin in range(len(framed)):
        for size in range(1, most + 1):
            end = begin + size
            if end > len(framed):
                break
            if size >= least and not (size == 1 and (begin == 0 or end == len(framed))):
                yield framed[begin:end]


def main():
    hashes = {text: fnv(text.encode()) for text in ["", "<", "<wh", "where", "é", "日本", "\u007f", "😀>"]}
    for text, value in hashes.items():
        assert value == ft_hash_bytes(text.encode()), text
    cases = []
    for least, most, buckets in CASES:
        for word in WORDS:
            grams = list(ngrams(word, least, most))
            assert sorted(gram.encode() for gram in grams) == sorted(compute_ngrams_bytes(word, least, most)), word
            cases.append({"word": word, "min": least, "max": most, "buckets": buckets,
                          "rows": [fnv(gram.encode()) % buckets for gram in grams]})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ngrams.json")
    with open(path, "w") as out:
        json.dump({"hashes": hashes, "cases": cases}, out)
        out.write("\n")


if __name__ == "__main__":
    main()
