#!/usr/bin/env python3
"""How many of many hostile texts lmzoo encodes otherwise than Hugging Face: ids, offsets, frames, decoded text.

    published_tokenizers_parity.py LMZOO FOLDER... [--lines 100000]

FOLDER: as published_tokenizers.py --all makes them, or one of a published checkpoint. A folder with a tokenizer.json is compared
with `tokenizers`, another one with transformers' class for it. Prints a line for each folder; exits 1 when any differs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer

from published_tokenizers import texts


def reference(folder):
    """The Tokenizer of `tokenizers` that Hugging Face uses for a folder."""
    path = os.path.join(folder, "tokenizer.json")
    if os.path.exists(path):
        tokenizer = Tokenizer.from_file(path)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer
    import transformers
    config = {}
    path = os.path.join(folder, "tokenizer_config.json")
    if os.path.exists(path):
        config = json.load(open(path, encoding="utf-8"))
    name = config.get("tokenizer_class") or ("T5Tokenizer" if os.path.exists(os.path.join(folder, "spiece.model")) else "LlamaTokenizer")
    return getattr(transformers, name).from_pretrained(folder)._tokenizer


def byte_offsets(text, offsets):
    """Offsets in characters as offsets in bytes."""
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode("utf-8")))
    return [(at[begin], at[end]) for begin, end in offsets]


def compare(lmzoo, folder, lines):
    tokenizer = reference(folder)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for text in lines:
            file.write(json.dumps({"text": text}) + "\n")
        file.flush()
        command = [lmzoo, "tokenizer", "encode", folder, "--jsonl", file.name, "--marked", "--offsets", "--framed", "--decoded"]
        ours = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode("utf-8").split("\n")
    wrong = {"ids": 0, "offsets": 0, "framed": 0, "decoded": 0}
    shown = 0
    for i, text in enumerate(lines):
        theirs = tokenizer.encode(text, add_special_tokens=False)
        framed = tokenizer.encode(text, add_special_tokens=True)
        mine = json.loads(ours[i])
        same = {"ids": mine["ids"] == theirs.ids,
                "offsets": list(zip(mine["begin"], mine["end"])) == byte_offsets(text, theirs.offsets),
                "framed": mine["framed"] == framed.ids and mine["token_types"] == framed.type_ids,
                "decoded": mine["decoded"] == tokenizer.decode(theirs.ids, skip_special_tokens=True)}
        for key, fine in same.items():
            wrong[key] += not fine
        if not all(same.values()) and shown < int(os.environ.get("SHOW", "0")):
            shown += 1
            print([key for key, fine in same.items() if not fine], repr(text))
            print("  hugging face", theirs.ids, byte_offsets(text, theirs.offsets), theirs.tokens)
            print("  lmzoo       ", mine["ids"], list(zip(mine["begin"], mine["end"])))
            print("  decoded     ", repr(tokenizer.decode(theirs.ids)), repr(mine["decoded"]))
    print(f"{os.path.basename(os.path.normpath(folder)):16} {len(lines)} texts, differ in " +
          ", ".join(f"{key} {count}" for key, count in wrong.items()), flush=True)
    return sum(wrong.values())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lmzoo")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    lines = texts(options.lines, options.seed)
    sys.exit(1 if sum(compare(options.lmzoo, folder, lines) for folder in options.folders) else 0)


if __name__ == "__main__":
    main()
