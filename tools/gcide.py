#!/usr/bin/env python3
"""Turns the GNU Collaborative International Dictionary of English into plain text, for word vectors.

Reads gcide.dict.dz, as Debian's package dict-gcide has it, and writes OUT/train.txt: an entry a line, about 5.1 million
words. Pronunciations between backslashes, editors' marks ([1913 Webster]), and the braces around cross references are
left out; so are lines that only name another entry.
"""

import argparse
import gzip
import os
import re
import sys

PACKAGE = "dict-gcide"
FILE = "/usr/share/dictd/gcide.dict.dz"

SOURCE = re.compile(r"\[(?:1913 Webster|PJC|WordNet|Webster 1913 Suppl\.|[^\[\]]{0,30}Webster[^\[\]]{0,20})\S*\]")
PRONUNCIATION = re.compile(r"\\[^\\\n]{1,120}\\")
ETYMOLOGY_REST = re.compile(r"[{}\[\]]")


def entries(text):
    """An entry begins in the first column; its body is indented."""
    lines = []
    for line in text.splitlines():
        if line and not line[0].isspace():
            if lines:
                yield " ".join(lines)
            lines = [line]
        elif line.strip():
            lines.append(line.strip())
    if lines:
        yield " ".join(lines)


def cleaned(entry):
    entry = SOURCE.sub(" ", entry)
    entry = PRONUNCIATION.sub(" ", entry)
    entry = ETYMOLOGY_REST.sub(" ", entry)
    return " ".join(entry.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", default=FILE)
    parser.add_argument("--out", default="corpora/gcide")
    options = parser.parse_args()
    if not os.path.exists(options.file):
        sys.exit(f"{options.file} is not there: install the package {PACKAGE} (apt-get install {PACKAGE})")
    with gzip.open(options.file, "rt", encoding="utf-8", errors="replace") as source:
        text = source.read()
    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, "train.txt")
    words = 0
    with open(path + ".tmp", "w", encoding="utf-8") as out:
        for entry in entries(text):
            line = cleaned(entry)
            if len(line.split()) >= 3:
                out.write(line + "\n")
                words += len(line.split())
    os.replace(path + ".tmp", path)
    print(f"{path}: {words:,} words")


if __name__ == "__main__":
    main()
