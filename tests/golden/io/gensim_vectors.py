"""gensim.txt and gensim.bin of tests/io/word_vectors_test.cpp: the same vectors in both formats, written by gensim.

    python tests/golden/io/gensim_vectors.py [LMZOO]      (needs gensim 4)

With the program's path it also proves the other direction: files that `lmzoo embed` writes load in gensim with the
same bits.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from gensim.models import KeyedVectors

HERE = pathlib.Path(__file__).parent
WORDS = ["king", "queen", "man", "woman", "</s>", "über", "New_York"]


def table():
    vectors = KeyedVectors(5)
    vectors.add_vectors(WORDS, np.random.default_rng(1).normal(size=(len(WORDS), 5)).astype(np.float32))
    return vectors


def write(vectors):
    vectors.save_word2vec_format(HERE / "gensim.txt", binary=False)
    vectors.save_word2vec_format(HERE / "gensim.bin", binary=True)


def prove(lmzoo, vectors):
    with tempfile.TemporaryDirectory() as folder:
        for source in ("gensim.txt", "gensim.bin"):
            for binary in (False, True):
                out = f"{folder}/out"
                form = "binary" if binary else "text"
                subprocess.run([lmzoo, "embed", HERE / source, "--all", "--out", out, "--format", form], check=True)
                back = KeyedVectors.load_word2vec_format(out, binary=binary)
                assert back.index_to_key == WORDS, back.index_to_key
                assert (back.vectors == vectors.vectors).all()
                print(f"{source} -> lmzoo {form} -> gensim: the same {len(WORDS)} vectors, bit for bit")


if __name__ == "__main__":
    write(table())
    if len(sys.argv) > 1:
        prove(sys.argv[1], table())
