"""Files of tests/golden/word_queries/: small vectors, questions and pairs, and what gensim answers to them.

    python tests/golden/word_queries.py      (needs gensim 4 and scipy; seeded, so always the same)

The vectors have regular pairs (base_i, form_i) that differ by nearly the same offset, words that differ in case only,
and questions with unknown words.
"""

import json
import pathlib

import numpy as np
from gensim.models import KeyedVectors

FOLDER = pathlib.Path(__file__).parent / "word_queries"
WIDTH, PAIRS, SECTIONS = 8, 24, ["family", "gram1-forms"]


def vectors(rng):
    words, rows = [], []
    offset = rng.normal(size=WIDTH)
    for i in range(PAIRS):
        base = rng.normal(size=WIDTH)
        words += [f"base{i}", f"form{i}"]
        rows += [base, base + offset + 0.45 * rng.normal(size=WIDTH)]
    for i in range(0, PAIRS, 4):  # rarer spellings of the same words
        words += [f"Base{i}", f"FORM{i}"]
        rows += [rows[2 * i] + 0.1 * rng.normal(size=WIDTH), rows[2 * i + 1] + 0.1 * rng.normal(size=WIDTH)]
    table = KeyedVectors(WIDTH)
    table.add_vectors(words, np.array(rows, dtype=np.float32))
    return table


def questions(rng):
    lines = []
    for section in SECTIONS:
        lines.append(f": {section}")
        for _ in range(60):
            i, j = rng.choice(PAIRS + 2, 2, replace=False)  # the last two are not in the vocabulary
            lines.append(f"base{i} form{i} Base{j} form{j}")
    return lines


def pairs(rng):
    known = [f"base{i}" for i in range(PAIRS)] + ["absent"]
    lines = ["# a remark", "Word 1\tWord 2\tHuman (mean)"]
    lines += ["\t".join([*rng.choice(known, 2, replace=False), str(rng.integers(0, 11))]) for _ in range(50)]
    return lines


def score(sections):
    return [
        {"section": s["section"], "correct": len(s["correct"]), "known": len(s["correct"]) + len(s["incorrect"])}
        for s in sections
    ]


def analogies(table, path, **options):
    return score(table.evaluate_word_analogies(path, dummy4unknown=False, **options)[1])


def analogies_by_product(table, path):
    """3CosMul, which gensim has for one question but not for a file of them."""
    first = {word.lower(): word for word in reversed(table.index_to_key)}
    sections = []
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(":"):
            sections.append({"section": line[2:], "correct": [], "incorrect": []})
            continue
        a, b, c, d = line.lower().split()
        if not {a, b, c, d} <= first.keys():
            continue
        best = table.most_similar_cosmul(positive=[first[b], first[c]], negative=[first[a]], topn=len(table))
        answer = next(word.lower() for word, _ in best if word.lower() not in (a, b, c))
        sections[-1]["correct" if answer == d else "incorrect"].append(answer)
    return score(sections)


def main():
    FOLDER.mkdir(exist_ok=True)
    rng = np.random.default_rng(4)
    table = vectors(rng)
    table.save_word2vec_format(FOLDER / "vectors.txt")
    asked, judged = str(FOLDER / "questions.txt"), str(FOLDER / "pairs.tsv")
    pathlib.Path(asked).write_text("\n".join(questions(rng)) + "\n")
    pathlib.Path(judged).write_text("\n".join(pairs(rng)) + "\n")
    pearson, spearman, unknown = table.evaluate_word_pairs(judged, dummy4unknown=False)
    sums = {"positive": ["form3", "base7"], "negative": ["base3"]}
    expected = {
        "neighbors": {w: table.most_similar(w, topn=6) for w in ("base0", "form5")},
        "sum": table.most_similar(**sums, topn=6),
        "product": table.most_similar_cosmul(**sums, topn=6),
        "add": analogies(table, asked),
        "mul": analogies_by_product(table, asked),
        "add_first_40": analogies(table, asked, restrict_vocab=40),
        "add_exact_case": analogies(table, asked, case_insensitive=False),
        "pearson": float(pearson[0]),
        "spearman": float(spearman[0]),
        "unknown_percent": float(unknown),
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
