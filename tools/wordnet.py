#!/usr/bin/env python3
"""Turns the WordNet database into text files for training.

Reads data.noun, data.verb, data.adj and data.adv and writes into the output folder, for each of the splits train, valid
and test:

  SPLIT.txt           a document (synset) a line: its words, its definition, its example sentences
                      dog, domestic dog, Canis familiaris: a member of the genus Canis; "the dog barked all night"
  lexname.SPLIT.tsv   definition TAB lexicographer class (45 of them, such as noun.animal)
  reverse.SPLIT.tsv   definition TAB first word of the synset
and lexname.train2k.tsv, the case of few labels: 2,000 lines of lexname.train.tsv, the first of every class and then the
first ones.

A synset's split and its place in the files follow from a hash of its part of speech and offset: they are the same on
every machine, no synset is in two splits, and every head of a file is a random sample. Definitions stand without the
words and without the examples, which would give the answer away; a valid or test line of the two tables is left out
when its definition is also that of a training synset.
"""

import argparse
import hashlib
import os
import re
import sys
import tempfile
from dataclasses import dataclass

PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
PACKAGE = "wordnet-base"
SYNSETS = 117_659  # of WordNet 3.0, as Debian and Ubuntu ship it
FEW = 2_000
PERCENT = {"test": 2, "valid": 2}  # the rest is train

# Numbers of lexicographer files, from lexnames(5WN); Debian does not ship the table itself.
CLASSES = (
    "adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition "
    "noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person "
    "noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state "
    "noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition "
    "verb.consumption verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession verb.social "
    "verb.stative verb.weather adj.ppl"
).split()

MARKER = re.compile(r"\((?:p|a|ip)\)$")  # where an adjective may stand: "afloat(p)"
FIRST_EXAMPLE = re.compile(r'\s*[;:,]\s*"')


class Refused(Exception):
    """The input is wrong; the message says what and where."""


@dataclass
class Synset:
    key: bytes  # hash that decides split and order
    words: list
    gloss: str
    lexname: str

    @property
    def definition(self):
        found = FIRST_EXAMPLE.search(self.gloss)
        return self.gloss[: found.start()] if found and found.start() > 0 else self.gloss

    @property
    def split(self):
        share = int.from_bytes(self.key, "big") % 100
        for name, percent in PERCENT.items():
            if share < percent:
                return name
            share -= percent
        return "train"


def plain(text):
    return " ".join(text.split())


def parse(line, part):
    """A line of a data file: OFFSET CLASS TYPE COUNT(hex) WORD LEX_ID [WORD LEX_ID]... POINTERS... | GLOSS"""
    head, bar, gloss = line.partition(" | ")
    fields = head.split(" ")
    count = int(fields[3], 16)
    words = [plain(MARKER.sub("", word).replace("_", " ")) for word in fields[4 : 4 + 2 * count : 2]]
    if not bar or not plain(gloss) or count < 1 or len(words) != count or not all(words) or not fields[0].isdigit():
        raise ValueError("a field is missing")
    key = hashlib.blake2b((PARTS[part] + fields[0]).encode(), digest_size=8).digest()
    return Synset(key, list(dict.fromkeys(words)), plain(gloss), CLASSES[int(fields[1])])


def read(source):
    synsets = []
    for part in PARTS:
        path = os.path.join(source, "data." + part)
        try:
            with open(path, encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):
                    if line.startswith("  "):  # the licence
                        continue
                    try:
                        synsets.append(parse(line.rstrip("\n"), part))
                    except (ValueError, IndexError) as error:
                        raise Refused(f"{path}:{number}: not a synset of WordNet: {error}") from None
        except FileNotFoundError:
            raise Refused(
                f"{path} does not exist: install WordNet (sudo apt-get install {PACKAGE}), or name its folder with "
                "--source"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"{path}: cannot read: {error}") from None
    return sorted(synsets, key=lambda synset: synset.key)


def write(folder, name, lines):
    """All or nothing, and not at all when the file is already as it should be."""
    path = os.path.join(folder, name)
    data = "".join(line + "\n" for line in lines).encode()
    try:
        with open(path, "rb") as old:
            if old.read() == data:
                return
    except FileNotFoundError:
        pass
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=name + ".")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def few_of_all(chosen):
    """FEW synsets in which no class is missing: the first of each class, filled up with the first ones."""
    first = {}
    for place, synset in enumerate(chosen):
        first.setdefault(synset.lexname, place)
    places = set(first.values())
    for place in range(len(chosen)):
        if len(places) >= FEW:
            break
        places.add(place)
    return [chosen[place] for place in sorted(places)]


def convert(source, folder, expected):
    synsets = read(source)
    if expected and len(synsets) != expected:
        raise Refused(f"{source} has {len(synsets):,} synsets, not {expected:,}; --synsets 0 takes any number")
    os.makedirs(folder, exist_ok=True)
    by_split = {"train": [], "valid": [], "test": []}
    for synset in synsets:
        by_split[synset.split].append(synset)
    seen = {synset.definition for synset in by_split["train"]}
    for split, chosen in by_split.items():
        write(folder, split + ".txt", (f"{', '.join(s.words)}: {s.gloss}" for s in chosen))
        labeled = [s for s in chosen if split == "train" or s.definition not in seen]
        write(folder, f"lexname.{split}.tsv", (f"{s.definition}\t{s.lexname}" for s in labeled))
        write(folder, f"reverse.{split}.tsv", (f"{s.definition}\t{s.words[0]}" for s in labeled))
        if split == "train":
            write(folder, "lexname.train2k.tsv", (f"{s.definition}\t{s.lexname}" for s in few_of_all(labeled)))
        print(f"{split}: {len(chosen):,} synsets, {len(labeled):,} with a definition for the tables")
    classes = len({synset.lexname for synset in synsets})
    print(f"{len(synsets):,} synsets of {classes} classes in {folder}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="/usr/share/wordnet", help="folder of the database (%(default)s)")
    parser.add_argument("--out", default="corpora/wordnet", help="folder to write into (%(default)s)")
    parser.add_argument(
        "--synsets", type=int, default=SYNSETS, help="refuse another number of synsets; 0: any (%(default)s)"
    )
    options = parser.parse_args()
    try:
        convert(options.source, options.out, options.synsets)
    except (Refused, OSError) as error:
        print(f"wordnet.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
