#!/usr/bin/env python3
"""Folders in which several files say something about one tokenizer, and what transformers makes of them.

    tokenizer_rules.py OUT                           the committed golden file tests/golden/tokenizer_rules.json
    tokenizer_rules.py --compare LMZOO [--folders 200] [--seed 1]
                                                     as many drawn folders: lmzoo's answers beside transformers'; exits 1 when any differs

A folder is one of tests/golden/tokenizer_folders whose tokenizer_config.json is replaced and beside which others stand: config.json,
added_tokens.json, special_tokens_map.json. Needs transformers 5.23 and sentencepiece; nothing is downloaded.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import transformers
from transformers import AutoTokenizer

from published_tokenizers import summary
from published_tokenizers_parity import byte_offsets

transformers.logging.set_verbosity_error()

FOLDERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tokenizer_folders")
TEXTS = ["Hello World [MASK] <s> x", "see <URL> and [USR]  now <mask>y", "<pad>a<unk>\u00c9 \u00dcn\u00efcode [new]b",
         "the model[new] Flu\u00df <x1>  <x2> <|endoftext|> z", "[CLS] hi [SEP] <extra_id_0> </s> <extra_id_5>",
         "  double  spaces   ", "\u65e5\u672c\u8a9e hello"]
ROLES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
BERT_NAMES = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
OTHER_NAMES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>", "pad_token": "<pad>",
               "cls_token": "<s>", "mask_token": "<mask>"}

# Of each folder: the classes that may read it (None: none is named), and the model_type of its config.json.
BASES = {
    "bert": (["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "PreTrainedTokenizerFast", "MPNetTokenizer", None,
              "BertTokenizerFast"], "bert"),
    "bert_files": (["BertTokenizer", "MPNetTokenizer", "DistilBertTokenizer"], "bert"),
    "roberta_prefix": (["RobertaTokenizer", "PreTrainedTokenizerFast", None, "BartTokenizer", "GPT2Tokenizer"], "roberta"),
    "gpt2_files": (["GPT2Tokenizer", "RobertaTokenizer"], "gpt2"),
    "gpt1_files": (["OpenAIGPTTokenizer"], "openai-gpt"),
    "llama": (["LlamaTokenizer", "PreTrainedTokenizerFast", None], "llama"),
    "llama_legacy": (["LlamaTokenizer", "PreTrainedTokenizerFast"], "mistral"),
    "llama3": (["LlamaTokenizer", "PreTrainedTokenizerFast", None, "GPT2Tokenizer"], "llama"),
    "qwen2": (["PreTrainedTokenizerFast", "GPT2Tokenizer"], "gpt2"),
    "llama_files": (["LlamaTokenizer"], "llama"),
    "t5_files": (["T5Tokenizer", "XLMRobertaTokenizer"], "t5"),
    "misc": (["PreTrainedTokenizerFast", None, "T5Tokenizer"], "t5"),
}


class Drawn:
    """A folder by chance: where its first free id is, and what its files say."""

    def __init__(self, rng):
        self.rng = rng
        self.base = rng.choice(list(BASES))
        classes, self.model_type = BASES[self.base]
        self.new = ["<URL>", "[USR]", "[new]", "<x1>", "<x2>"]
        rng.shuffle(self.new)
        self.names = BERT_NAMES if self.base in ("bert", "bert_files") else OTHER_NAMES
        self.config = self.first_config(rng.choice(classes))
        self.files = {}
        if "tokenizer_class" not in self.config or rng.random() < 0.3:
            self.files["config.json"] = {"model_type": self.model_type}
        self.add_names()
        self.add_tokens()
        if rng.random() < 0.35:
            self.add_map()
        for key, chance in (("do_lower_case", 0.3), ("add_prefix_space", 0.3), ("strip_accents", 0.2),
                            ("tokenize_chinese_chars", 0.2), ("legacy", 0.3), ("add_bos_token", 0.3), ("add_eos_token", 0.3)):
            if rng.random() < chance:
                self.config[key] = rng.random() < 0.5
        if self.config or rng.random() < 0.5:
            self.files["tokenizer_config.json"] = self.config

    def chance(self, probability):
        return self.rng.random() < probability

    def token(self, content, special=None):
        token = {"content": content, **{key: self.chance(0.3) for key in ("lstrip", "rstrip", "single_word", "normalized")}}
        return token if special is None else {**token, "special": special}

    def first_config(self, name):
        path = os.path.join(FOLDERS, self.base, "tokenizer_config.json")
        config = {}
        if os.path.exists(path) and self.chance(0.4):
            with open(path, encoding="utf-8") as file:
                config = json.load(file)
        config.pop("tokenizer_class", None)
        return {**config, "tokenizer_class": name} if name else config

    def next_id(self):
        folder = os.path.join(FOLDERS, self.base)
        if os.path.exists(os.path.join(folder, "tokenizer.json")):
            with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as file:
                written = json.load(file)
            return max([len(written["model"]["vocab"])] + [token["id"] + 1 for token in written["added_tokens"]])
        if os.path.exists(os.path.join(folder, "vocab.txt")):
            with open(os.path.join(folder, "vocab.txt"), encoding="utf-8") as file:
                return len(file.read().split("\n")) - 1
        if os.path.exists(os.path.join(folder, "vocab.json")):
            with open(os.path.join(folder, "vocab.json"), encoding="utf-8") as file:
                return len(json.load(file))
        pieces = {"llama_files": 700, "t5_files": 480}[self.base]  # with <extra_id_0> to <extra_id_99>
        return 382 if self.config.get("tokenizer_class") == "XLMRobertaTokenizer" else pieces

    def add_names(self):
        if self.chance(0.5):
            for key, name in self.names.items():
                if self.chance(0.4):
                    self.config[key] = name if self.chance(0.7) else {"__type": "AddedToken", **self.token(name)}
        if self.chance(0.15):
            self.config[self.rng.choice(list(self.names))] = self.new[0]

    def add_tokens(self):
        rng, new = self.rng, self.new
        numbered = [(self.next_id() + i, name) for i, name in enumerate(new[:rng.randint(1, 3)])]
        mode = rng.random()
        if mode < 0.25:
            self.config["added_tokens_decoder"] = {str(id): self.token(name, self.chance(0.5)) for id, name in numbered}
        elif mode < 0.45:
            self.files["added_tokens.json"] = {name: id for id, name in numbered}
        mode = rng.random()
        if mode < 0.2:
            self.config["additional_special_tokens"] = new[2:4]
        elif mode < 0.35:
            self.config["extra_special_tokens"] = new[1:3]
        elif mode < 0.45:
            self.config["extra_special_tokens"] = {"image_token": new[1]}
        elif mode < 0.5:
            self.config["image_token"] = new[4]

    def add_map(self):
        mapped = {}
        for key, name in self.names.items():
            if self.chance(0.4):
                mapped[key] = name if self.chance(0.5) else self.token(name)
        if self.chance(0.3):
            mapped["additional_special_tokens"] = self.new[3:5]
        if self.chance(0.2):
            mapped[self.rng.choice(list(self.names))] = self.new[1]
        self.files["special_tokens_map.json"] = mapped


def make_folder(folder, base, files):
    shutil.copytree(os.path.join(FOLDERS, base), folder)
    own = os.path.join(folder, "tokenizer_config.json")
    if os.path.exists(own):
        os.remove(own)
    # Under another name transformers would silently begin with an empty vocabulary.
    if files.get("tokenizer_config.json", {}).get("tokenizer_class") == "XLMRobertaTokenizer":
        os.rename(os.path.join(folder, "spiece.model"), os.path.join(folder, "sentencepiece.bpe.model"))
    for name, content in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file)


def given_ids(files):
    numbered = {token["content"]: int(id) for id, token in files.get("tokenizer_config.json", {}).get("added_tokens_decoder", {}).items()}
    return numbered or files.get("added_tokens.json", {})


def answers(folder, files):
    """The lines of transformers and the names of the roles; None where it cannot read the folder, "refused" where it gives a token
    another id than a file says without a word, which lmzoo refuses."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        if any(tokenizer.convert_tokens_to_ids(name) != id for name, id in given_ids(files).items()):
            return {"refused": True}
        lines = [summary(tokenizer._tokenizer, text, byte_offsets) for text in TEXTS]
        return {"lines": lines, "roles": {key: getattr(tokenizer, key) for key in ROLES if getattr(tokenizer, key)}}
    except Exception:  # whatever Python or Rust makes of impossible files
        return None


def by_class(name, **config):
    return {"tokenizer_config.json": {"tokenizer_class": name, **config}}


# Rules that a drawn folder may miss, each with its name.
NAMED = {
    "do_lower_case beside a lower-casing tokenizer.json": ("bert", by_class("BertTokenizer", do_lower_case=False)),
    "do_lower_case where tokenizer.json counts": ("bert", by_class("PreTrainedTokenizerFast", do_lower_case=False)),
    "a class that only config.json tells": ("roberta_prefix", {"config.json": {"model_type": "roberta"},
                                                              "tokenizer_config.json": {"model_max_length": 64}}),
    "names that only special_tokens_map.json tells": ("qwen2", {"tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"},
                                                               "special_tokens_map.json": {"mask_token": "<|im_start|>"}}),
    "a token that only added_tokens_decoder has": ("bert", by_class("BertTokenizer", added_tokens_decoder={
        "385": {"content": "<URL>", "lstrip": False, "rstrip": True, "single_word": False, "normalized": False, "special": False}})),
    "a token that only added_tokens.json has": ("bert", {**by_class("BertTokenizer"), "added_tokens.json": {"<URL>": 385}}),
    "a token with an id that is not the next one": ("bert", {**by_class("BertTokenizer"), "added_tokens.json": {"<URL>": 390}}),
    "a token that only additional_special_tokens has": ("bert", by_class("BertTokenizer", additional_special_tokens=["[USR]"])),
    "added_tokens_decoder silences special_tokens_map.json": ("bert", {
        **by_class("PreTrainedTokenizerFast", added_tokens_decoder={"385": {
            "content": "<URL>", "lstrip": False, "rstrip": False, "single_word": False, "normalized": False, "special": True}}),
        "special_tokens_map.json": {"pad_token": "[MASK]"}}),
    "add_prefix_space of a class that makes its own parts": ("roberta_prefix", by_class("RobertaTokenizer", add_prefix_space=True)),
    "add_eos_token of older files": ("llama_files", by_class("LlamaTokenizer", add_eos_token=True)),
    "LLaMA 3 with the class of LLaMA 2": ("llama3", {**by_class("LlamaTokenizer"), "config.json": {"model_type": "llama"}}),
    "the class of LLaMA 2 in a model without one": ("llama_legacy", {**by_class("LlamaTokenizer"),
                                                                     "config.json": {"model_type": "mistral"}}),
    "XLM-RoBERTa of a SentencePiece model": ("t5_files", by_class("XLMRobertaTokenizer")),
    "MPNet of a vocab.txt": ("bert_files", by_class("MPNetTokenizer", cls_token="[CLS]", sep_token="[SEP]", bos_token="[CLS]",
                                                    eos_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]")),
}


def write_golden(out, drawn=40):
    cases = [{"name": name, "base": base, "files": files} for name, (base, files) in NAMED.items()]
    rng = random.Random(23)
    for i in range(drawn):
        folder = Drawn(rng)
        cases.append({"name": f"drawn {i}", "base": folder.base, "files": folder.files})
    kept = []
    with tempfile.TemporaryDirectory() as work:
        for i, case in enumerate(cases):
            folder = os.path.join(work, str(i))
            make_folder(folder, case["base"], case["files"])
            found = answers(folder, case["files"])
            if found is not None:
                kept.append({**case, **found})
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"transformers": transformers.__version__, "texts": TEXTS, "cases": kept}, file, indent=0)
    print(f"{len(kept)} folders, {len(cases) - len(kept)} that transformers cannot read")


def line_of(mine):
    numbers = lambda key: " ".join(str(value) for value in mine[key])
    return "|".join([numbers("ids"), numbers("begin"), numbers("end"), numbers("framed"), mine["decoded"]])


def without_pair(line):
    parts = line.split("|", 6)
    return "|".join(parts[:4] + parts[6:])


def encode(lmzoo, folder, texts):
    command = [lmzoo, "tokenizer", "encode", folder, "--jsonl", texts, "--marked", "--offsets", "--framed", "--decoded"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        return done.stderr.decode("utf-8", "replace").strip()
    return [line_of(json.loads(line)) for line in done.stdout.decode("utf-8").strip().split("\n")]


def compare(lmzoo, count, seed):
    rng = random.Random(seed)
    counts = {"same": 0, "differ": 0, "only lmzoo refuses": 0, "only transformers fails": 0, "both refuse": 0, "export differs": 0}
    with tempfile.TemporaryDirectory() as work:
        texts = os.path.join(work, "texts.jsonl")
        with open(texts, "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in TEXTS)
        for i in range(count):
            drawn = Drawn(rng)
            folder, saved = os.path.join(work, f"f{i}"), os.path.join(work, f"f{i}_saved")
            make_folder(folder, drawn.base, drawn.files)
            theirs, mine = answers(folder, drawn.files), encode(lmzoo, folder, texts)
            refused, failed = isinstance(mine, str), theirs is None or "refused" in theirs
            if failed or refused:
                kind = "both refuse" if failed and refused else "only lmzoo refuses" if refused else "only transformers fails"
            else:
                kind = "same" if mine == [without_pair(line) for line in theirs["lines"]] else "differ"
            counts[kind] += 1
            if kind in ("differ", "only lmzoo refuses"):
                print(kind, drawn.base, json.dumps(drawn.files), mine if refused else "", flush=True)
            if kind == "same":
                subprocess.run([lmzoo, "tokenizer", "train", folder, "--out", saved], stdout=subprocess.DEVNULL, check=True)
                if encode(lmzoo, saved, texts) != mine or answers(saved, {}) != theirs:
                    counts["export differs"] += 1
                    print("export differs", drawn.base, json.dumps(drawn.files), flush=True)
    print(f"{count} folders: " + ", ".join(f"{key} {value}" for key, value in counts.items()))
    return counts["differ"] + counts["export differs"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--folders", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.compare:
        sys.exit(1 if compare(options.target, options.folders, options.seed) else 0)
    write_golden(options.target)


if __name__ == "__main__":
    main()
