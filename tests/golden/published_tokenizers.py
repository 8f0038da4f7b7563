#!/usr/bin/env python3
"""Small tokenizers of every published kind, and texts that are hard on them.

    published_tokenizers.py OUT            the committed golden files: tiny tokenizers and the ids and offsets of a few hundred texts
    published_tokenizers.py --all OUT      larger ones for published_tokenizers_parity.py, no texts

Nothing is downloaded: vocabularies are trained here on sentences written for this script. Texts come from a seeded
generator (`texts`), which published_tokenizers_parity.py uses too.
"""

import json
import os
import random
import shutil
import sys
import tempfile
import zlib

import sentencepiece
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

SENTENCES = [
    "The quick brown fox jumps over the lazy dog, doesn't it?",
    "I'll say it again: we've trained 3 models on 12,345 sentences and they're fine.",
    "Embeddings of words are vectors; transformers learn them from context.",
    "She said: \"Don't panic!\" -- and left (quietly) at 7:45 p.m.",
    "A tasty, taaaasty lunch. Transformerify everything! laern to learn",
    "Der Fluß überquert die Straße, während Ärzte schöne Äpfel essen.",
    "L'élève naïf a mangé des crêpes à Noël; ça coûte 3,50 €.",
    "El niño comió una piña mañana por la mañana, ¿verdad?",
    "Книга лежит на столе, а кошка спит под ним.",
    "Ένα βιβλίο είναι πάνω στο τραπέζι και ΣΊΣΥΦΟΣ.",
    "我们在北京学习自然语言处理，天气很好。",
    "東京で新しい言語モデルを学んでいます。カタカナ",
    "오늘은 날씨가 아주 좋습니다 그리고 우리는 공부합니다.",
    "هذا كتاب جديد عن اللغة العربية، ١٢٣.",
    "זהו ספר חדש על שפה עברית.",
    "यह एक नई किताब है और हम हिन्दी सीखते हैं।",
    "นี่คือหนังสือเล่มใหม่เกี่ยวกับภาษาไทย",
    "Đây là một cuốn sách mới về tiếng Việt.",
    "def f(x):\n    return x**2 + 1  # comment\n\n\nprint(f(3))",
    "emoji 😀 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 and math ∑∫√∞ ≠ ≤",
    "http://example.org/a_b?c=d&e=%20f#g user@example.org",
    "    indented   text\twith tabs \r\n and   line ends \n",
]

RANGES = [(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x590, 0x5F4), (0x600, 0x6FF),
          (0x900, 0x97F), (0xE00, 0xE5B), (0x1100, 0x11FF), (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x20A0, 0x20BF),
          (0x2100, 0x218B), (0x2190, 0x22FF), (0x2460, 0x24FF), (0x3000, 0x30FF), (0x3200, 0x33FF), (0x4E00, 0x4FFF),
          (0xAC00, 0xAFFF), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFE6F), (0xFF00, 0xFFEF), (0x1D400, 0x1D7FF),
          (0x1F100, 0x1F2FF), (0x1F300, 0x1F64F), (0x1F900, 0x1F9FF), (0x20000, 0x200FF), (0x2F800, 0x2F8FF),
          (0xE000, 0xE0FF), (0xE0000, 0xE007F), (0x1, 0x1F), (0x7F, 0x9F)]
PIECES = ["\u200d", "\ufe0f", "\u0301", "\u0308\u0323", "\u0345", "\u00ad", "\u200b", "\ufeff", "\u2028", "\u3000",
          "\u00a0", "\u0085", "\r\n", "\n\n", "\t", "   ", "'s", "'S", "'ſ", "'LL", "'ve", "ﬃ", "İ", "ẞ", "ǅ", "ΑΣ",
          "¼", "Ⅷ", "①", "٣", "㍿", "﷽", "e\u0301", "각", "\u1100\u1161\u11a8", "👩\u200d🔬", "🇩🇪🇫🇷", "🏴", "▁", "Ġ",
          "##", "</w>", "<0x0A>", "\ufffd", "\U0010ffff", "ัง", "क्षि", "\u0b95\u0bcd\u0bb7", "a" * 30, "．", "…", "–", "“"]
SPECIALS = ["[MASK]", "[CLS]", "<mask>", "<s>", "</s>", "<unk>", "[UNK]", "<|endoftext|>", "<extra_id_0>", "<extra_id_9>",
            " <mask> ", "[MASK]s", "<pad>", "<|im_start|>"]


def random_text(rng):
    low, high = rng.choice(RANGES)
    count = rng.choice([1, 2, 3, 5, 8, 20])
    return "".join(chr(rng.randint(low, high)) for _ in range(count))


def one_text(rng):
    kind = rng.random()
    if kind < 0.25:
        return rng.choice(SENTENCES)
    if kind < 0.28:
        return rng.choice(["a", "é", "字", "🙂", "ab", "1", ".", "-\u0301"]) * rng.randint(50, 400)
    parts = []
    for _ in range(rng.randint(1, 12)):
        choice = rng.random()
        if choice < 0.35:
            words = rng.choice(SENTENCES).split(" ")
            begin = rng.randrange(len(words))
            parts.append(" ".join(words[begin:begin + rng.randint(1, 5)]))
        elif choice < 0.6:
            parts.append(random_text(rng))
        elif choice < 0.85:
            parts.append(rng.choice(PIECES))
        elif choice < 0.9:
            parts.append(rng.choice(SPECIALS))
        else:
            parts.append(str(rng.randint(0, 10 ** rng.randint(1, 9))))
        parts.append(rng.choice(["", "", " ", " ", "  "]))
    text = "".join(parts)
    return text.upper() if rng.random() < 0.05 else text


def texts(count, seed):
    """Valid Unicode without NUL, which lmzoo replaces before any tokenizer sees it."""
    rng = random.Random(seed)
    return [one_text(rng) for _ in range(count)]


def training_text(count):
    rng = random.Random(7)
    for _ in range(count):
        words = " ".join(rng.choice(SENTENCES) for _ in range(2)).split(" ")
        begin = rng.randrange(len(words))
        yield " ".join(words[begin:begin + rng.randint(3, 20)])


GPT2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
LLAMA3 = (r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"""
          r"""\s*[\r\n]+|\s+(?!\S)|\s+""")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def train(tokenizer, trainer, lines):
    tokenizer.train_from_iterator(training_text(lines), trainer)
    return tokenizer


def bert(size, lines, lower=True):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    train(tokenizer, trainers.WordPieceTrainer(vocab_size=size, special_tokens=specials, show_progress=False), lines)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def byte_level(size, lines, specials, split=None, normalizer=None, ignore_merges=False, prefix=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    if split:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(split), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    train(tokenizer, trainers.BpeTrainer(vocab_size=size, special_tokens=specials, show_progress=False,
                                         initial_alphabet=pre_tokenizers.ByteLevel.alphabet()), lines)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def gpt2(size, lines):
    tokenizer = byte_level(size, lines, ["<|endoftext|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def roberta(size, lines, prefix=False):
    tokenizer = byte_level(size, lines, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], prefix=prefix)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=prefix)
    return tokenizer


def llama3(size, lines):
    tokenizer = byte_level(size, lines, ["<|begin_of_text|>"], split=LLAMA3, ignore_merges=True)
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                                      special_tokens=[("<|begin_of_text|>", 0)])])
    return tokenizer


def qwen2(size, lines):
    tokenizer = byte_level(size, lines, ["<|endoftext|>", "<|im_start|>"], split=QWEN2, normalizer=normalizers.NFC())
    tokenizer.add_tokens([AddedToken("Fluß", single_word=True), AddedToken("é", normalized=True),
                          AddedToken("model", rstrip=True, lstrip=True)])
    return tokenizer


def gpt1(size, lines):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    train(tokenizer, trainers.BpeTrainer(vocab_size=size, special_tokens=["<unk>"], end_of_word_suffix="</w>",
                                         show_progress=False), lines)
    tokenizer.decoder = decoders.BPEDecoder()
    return tokenizer


def llama_bpe(lines, legacy):
    # Byte fall-back: an alphabet so small that most scripts are spelled in bytes.
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    train(tokenizer, trainers.BpeTrainer(vocab_size=700, special_tokens=specials, limit_alphabet=70, show_progress=False),
          lines)
    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = described["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(described))
    tokenizer.pre_tokenizer = None
    if not legacy:
        tokenizer.normalizer = None
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1",
                                                             special_tokens=[("<s>", 1)])
    return tokenizer


def misc(lines):
    """The parts that no large family uses."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip(),
        normalizers.Replace(Regex(" {2,}"), " "), normalizers.Replace("``", '"')])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation("contiguous"),
        pre_tokenizers.Metaspace(prepend_scheme="always")])
    train(tokenizer, trainers.UnigramTrainer(vocab_size=500, special_tokens=["<unk>", "<s>"], unk_token="<unk>",
                                             show_progress=False), lines)
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_tokens([AddedToken("Fluß", normalized=True), AddedToken("python", single_word=True, normalized=False)])
    return tokenizer


def sentencepiece_model(folder, name, lines, **options):
    os.makedirs(folder, exist_ok=True)
    texts_of = iter([line.replace("\n", " ") for line in training_text(lines)])
    with open(os.path.join(folder, name), "wb") as out:
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=texts_of, model_writer=out, minloglevel=2, **options)


def save(tokenizer, folder, config, files=False):
    os.makedirs(folder, exist_ok=True)
    if files:
        tokenizer.model.save(folder)
    else:
        tokenizer.save(os.path.join(folder, "tokenizer.json"), pretty=False)
    if config:
        with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as out:
            json.dump(config, out)


BERT = {"tokenizer_class": "BertTokenizer", "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]",
        "sep_token": "[SEP]", "mask_token": "[MASK]"}
ROBERTA = {"tokenizer_class": "RobertaTokenizer", "pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>",
           "sep_token": "</s>", "mask_token": "<mask>", "bos_token": "<s>", "eos_token": "</s>"}


def make_all(out, size, lines, rules=None):
    """A folder for each kind; `rules`: SentencePiece's normalization rules as a file, None for nmt_nfkc."""
    folder = lambda name: os.path.join(out, name)
    save(bert(size, lines), folder("bert"), BERT)
    save(bert(size, lines), folder("bert_files"), BERT, files=True)
    save(bert(size, lines, lower=False), folder("bert_cased"), {**BERT, "do_lower_case": False})
    save(gpt2(size, lines), folder("gpt2"), {"eos_token": "<|endoftext|>"})
    save(gpt2(size, lines), folder("gpt2_files"), {"tokenizer_class": "GPT2Tokenizer"}, files=True)
    save(gpt1(size, lines), folder("gpt1_files"), {"tokenizer_class": "OpenAIGPTTokenizer"}, files=True)
    save(roberta(size, lines), folder("roberta"), ROBERTA)
    save(roberta(size, lines, prefix=True), folder("roberta_prefix"), {**ROBERTA, "add_prefix_space": True})
    save(roberta(size, lines), folder("roberta_files"), ROBERTA, files=True)
    save(llama3(size, lines), folder("llama3"), {"bos_token": "<|begin_of_text|>"})
    save(qwen2(size, lines), folder("qwen2"), {"eos_token": "<|endoftext|>"})
    save(llama_bpe(lines, True), folder("llama_legacy"), None)
    save(llama_bpe(lines, False), folder("llama"), None)
    save(misc(lines), folder("misc"), None)
    rule = {"normalization_rule_tsv": rules} if rules else {"normalization_rule_name": "nmt_nfkc"}
    sentencepiece_model(folder("t5_files"), "spiece.model", lines, vocab_size=380, model_type="unigram", pad_id=0, eos_id=1,
                        unk_id=2, bos_id=-1, character_coverage=0.98, **rule)
    sentencepiece_model(folder("llama_files"), "tokenizer.model", lines, vocab_size=700, model_type="bpe", byte_fallback=True,
                        normalization_rule_name="identity", remove_extra_whitespaces=False, character_coverage=0.98,
                        split_digits=True)
    with open(os.path.join(folder("llama_files"), "tokenizer_config.json"), "w", encoding="utf-8") as out_file:
        json.dump({"tokenizer_class": "LlamaTokenizer", "add_bos_token": True}, out_file)


GOLDEN = ["bert", "bert_files", "gpt2_files", "gpt1_files", "roberta_prefix", "llama3", "qwen2", "llama", "llama_legacy", "misc",
          "t5_files", "llama_files"]
SHOWN = 3  # texts whose ids are written out, for those who look for a difference


def summary(tokenizer, text, byte_offsets):
    """All that a tokenizer makes of a text as one line; lmzoo's test writes the same line."""
    plain = tokenizer.encode(text, add_special_tokens=False)
    framed = tokenizer.encode(text, add_special_tokens=True)
    pair = tokenizer.encode(text, "a pair", add_special_tokens=True)
    numbers = lambda values: " ".join(str(value) for value in values)
    offsets = byte_offsets(text, plain.offsets)
    return "|".join([numbers(plain.ids), numbers(begin for begin, _ in offsets), numbers(end for _, end in offsets),
                     numbers(framed.ids), numbers(pair.ids), numbers(pair.type_ids),
                     tokenizer.decode(plain.ids, skip_special_tokens=True)])


def write_golden(out):
    from published_tokenizers_parity import byte_offsets, reference
    with tempfile.TemporaryDirectory() as work:
        rules = os.path.join(work, "rules.tsv")
        with open(rules, "w", encoding="utf-8") as file:
            for source, target in [("A", "a"), ("\u00c0", "a"), ("\u00e9", "e"), ("\u0301", ""), ("\ufb03", "ffi"), ("\t", " "),
                                   ("\u3000", " "), ("e\u0301", "\u00e9"), ("\u0085", " "), ("\u00ad", "")]:
                file.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
        make_all(work, 330, 300, rules)
        lines = texts(240, 11)
        expected = {}
        os.makedirs(out, exist_ok=True)
        for name in GOLDEN:
            shutil.copytree(os.path.join(work, name), os.path.join(out, name), dirs_exist_ok=True)
            tokenizer = reference(os.path.join(out, name))
            sums = [summary(tokenizer, text, byte_offsets) for text in lines]
            expected[name] = {"crc32": [f"{zlib.crc32(line.encode()):08x}" for line in sums], "shown": sums[:SHOWN]}
    with open(os.path.join(out, "expected.json"), "w", encoding="utf-8") as file:
        json.dump({"texts": lines, "expected": expected}, file, indent=0)


if __name__ == "__main__":
    if sys.argv[1] == "--all":
        make_all(sys.argv[2], 2000, 4000)
    else:
        write_golden(sys.argv[1])
