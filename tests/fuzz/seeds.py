"""Writes tests/fuzz/corpus: a few small right files for every fuzz target, from which libFuzzer makes wrong ones.

Reads tests/golden. Standard library only.
"""
import gzip
import io
import pathlib
import struct
import zipfile
import zlib

here = pathlib.Path(__file__).parent
golden = here.parent / "golden/io"
folders = here.parent / "golden/tokenizer_folders"


def write(target, name, content):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def safetensors(header, data):
    return struct.pack("<Q", len(header)) + header.encode() + data


def without_crc(path):
    """The zip file with every CRC-32 zero, which means that it was not computed: else no altered pickle gets through."""
    content = bytearray(path.read_bytes())
    for entry in zipfile.ZipFile(path).infolist():
        crc = struct.pack("<I", entry.CRC)
        at = content.find(crc)
        while entry.CRC and at >= 0:
            content[at : at + 4] = bytes(4)
            at = content.find(crc)
    return bytes(content)


def pickle_of(path):
    archive = zipfile.ZipFile(path)
    return archive.read(next(name for name in archive.namelist() if name.endswith("/data.pkl")))


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def sentencepiece_model():
    pieces = [("<unk>", 2), ("<s>", 3), ("</s>", 3), ("\u2581the", 1), ("a", 1), ("<0x41>", 6)]
    out = b""
    for text, kind in pieces:
        out += field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", -1.5) + b"\x18" + varint(kind))
    trainer = b"\x18\x01" + b"\xc0\x02\x00"  # unigram; unk_id 0
    normalizer = field(1, b"identity")
    return out + field(2, trainer) + field(3, normalizer)


def token_store(documents, classes, columns):
    """data/store/token_store.h, version 6: documents of (ids, label, notes, passage), with columns or without."""
    ids = b"".join(struct.pack(f"<{len(d[0])}H", *d[0]) for d in documents)
    starts = [sum(len(d[0]) for d in documents[:i]) for i in range(len(documents) + 1)]
    out = b"LMZOOIDS" + struct.pack("<IIQ", 6, 2, 100) + ids + bytes(-len(ids) % 8) + struct.pack(f"<{len(starts)}Q", *starts)
    if columns:
        for part in (2, 3):
            at = [sum(len(d[part]) for d in documents[:i]) for i in range(len(documents) + 1)]
            out += struct.pack(f"<{len(at)}Q", *at)
    out += struct.pack(f"<{len(documents)}I", *[5] * len(documents))
    if classes:
        out += struct.pack(f"<{len(documents)}i", *[d[1] for d in documents])
    notes = [note for d in documents for note in d[2]] if columns else []
    passages = b"".join(d[3] for d in documents) if columns else b""
    out += struct.pack(f"<{len(notes)}i", *notes) + passages
    names = b"".join(struct.pack("<I", len(name)) + name for name in classes)
    out += names
    sums = b"".join(struct.pack("<I", zlib.crc32(out[at : at + 65536])) for at in range(0, len(out), 65536))
    trailer = struct.pack("<14Q", len(documents), starts[-1], len(classes), len(names), len(sums), len(notes), len(passages),
                          5 * len(documents), columns, 1, 2, 3, 4, 5)
    ends = zlib.crc32(out[:24] + names + sums + trailer)
    return out + sums + trailer + struct.pack("<II", ends, 0) + b"LMZOOEND"


write("safetensors", "reference", (golden / "reference.safetensors").read_bytes())
write("safetensors", "empty", safetensors("{}", b""))
write("safetensors", "dtypes", safetensors('{"a":{"dtype":"F4","shape":[2,1],"data_offsets":[0,1]},"__metadata__":{"k":"v"}}', b"x"))
for name in ("torch_1_6.bin", "zip64.bin", "module.bin"):
    write("torch_file", name, without_crc(golden / "torch" / name))
write("torch_file", "no_crc.bin", (golden / "torch/no_crc.bin").read_bytes())
for name in ("torch_1_6.bin", "protocol5.bin", "checkpoint.pt"):
    write("torch_pickle", name, pickle_of(golden / "torch" / name))
for name in ("torch_1_6.bin", "zip64.bin", "no_crc.bin"):
    write("zip", name, (golden / "torch" / name).read_bytes())
index = '{"metadata": {"total_size": 8}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "c.safetensors"}}'
write("tensor_index", "index", index)
write("json", "index", index)
write("json", "kinds", '[null, true, -1, 2.5e3, "\\u00e9\\ud83d\\ude00", {"a": {}, "b": []}]')
write("yaml", "config", "name: x\nmodel: {type: bert, layers: 2}\ndata:\n  files: [a, 'b: c']\n  text: |\n    one\n    two\nempty:\n")
write("yaml", "scalars", "- 1\n- \"1\"\n- ~\n- true\n- 'it''s'\n- >\n  folded\n  text\n")
write("sentencepiece_model", "tiny", sentencepiece_model())
write("word_vectors", "gensim.txt", (golden / "gensim.txt").read_bytes())
write("word_vectors", "gensim.bin", (golden / "gensim.bin").read_bytes())
write("word_vectors", "glove", "the 0.5 -1.5\nof 1e-3 2\n")
write("lines", "plain", "one\r\ntwo\n\nlast")
packed = io.BytesIO()
with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
    file.write(b"one\ntwo\n")
write("lines", "gzip", packed.getvalue())
write("utf8", "mixed", "a\u00e9\u4e2d\U0001f600".encode() + b"\xff\xc0\x80\xed\xa0\x80")
write("manifest", "one", '{"files": {"model.safetensors": {"bytes": 8, "crc32": 123}}}')
for name in ("bert", "llama", "llama3", "misc", "roberta_prefix"):
    write("tokenizer_json", name, (folders / name / "tokenizer.json").read_bytes())
write("tokenizer_files", "bert", b"w" + (folders / "bert_files/vocab.txt").read_bytes())
write("tokenizer_files", "t5", b"s" + (folders / "t5_files/spiece.model").read_bytes())
write("tokenizer_files", "llama", b"s" + (folders / "llama_files/tokenizer.model").read_bytes())
write("tokenizer_files", "beside", b'c{"do_lower_case": false, "cls_token": {"content": "[CLS]", "lstrip": true}, "<URL>": 7, '
      b'"added_tokens_decoder": {"7": {"content": "<URL>", "special": true}}, "extra_special_tokens": ["<x>"]}')
for name in ("gpt1", "gpt2"):
    files = folders / f"{name}_files"
    write("tokenizer_files", name, b"b" + (files / "vocab.json").read_bytes() + (files / "merges.txt").read_bytes())
write("token_store", "plain", b"=" + token_store([([7, 8, 9], 0, [], b""), ([10], 1, [], b""), ([], -1, [], b"")],
                                                 [b"neg", b"pos"], False))
# texts, choices, ids of each, target; value, set, tags, sentences, passage, label
two_texts = [2, 0, 2, 1, 0, 0, 0, 0, 0, 0, -1]
choices = [1, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1]
value = [1, 0, 2, 1, 1, 0, 0x3FF00000, 1, 0, 0, 0, 0, -1]  # with a text to write
tags = [1, 0, 3, 0, 0, 0, 2, 0, 2, 1, 0, 0, 0, -1]
sentences = [1, 0, 3, 0, 0, 0, 0, 2, 0, 1, 0, -1]
passage = [1, 0, 2, 0, 0, 0, 0, 0, 1, 2, 0, 3, 4, 7, 1, 4, 7, -1]
write("token_store", "columns", b"+" + token_store([([7, 8, 9], 0, two_texts, b""), ([4, 5, 6], 1, choices, b""),
                                                    ([1, 2, 3], 0, value, b""), ([1, 2, 3], 1, tags, b""),
                                                    ([7, 8, 9], 0, sentences, b""),
                                                    ([1, 2], 0, passage, b"old owl")], [b"O", b"PER"], True))

for name, model_type, keys in (
    ("bert", "bert", '"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 99, '
     '"architectures": ["BertForSequenceClassification"], "id2label": {"0": "neg", "1": "pos"}, "hidden_act": "gelu", "pad_token_id": 0'),
    ("roberta", "roberta", '"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 99, '
     '"max_position_embeddings": 514, "eos_token_id": 2'),
    ("distilbert", "distilbert", '"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "vocab_size": 99, "seq_classif_dropout": 0.1'),
    ("gpt2", "gpt2", '"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64, "vocab_size": 99, "activation_function": "gelu_new"'),
    ("gpt1", "openai-gpt", '"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64, "vocab_size": 99, "afn": "gelu"'),
    ("llama", "llama", '"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, '
     '"intermediate_size": 64, "vocab_size": 99, "rms_norm_eps": 1e-6, "eos_token_id": [1, 2], "rope_scaling": {"rope_type": "llama3", '
     '"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}'),
    ("t5", "t5", '"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2, "vocab_size": 99, "is_encoder_decoder": true, '
     '"feed_forward_proj": "gated-gelu", "tie_word_embeddings": false, "relative_attention_num_buckets": 32'),
):
    write("published_config", name, f'c{{"model_type": "{model_type}", {keys}}}')
write("published_config", "adapter", 'a{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "target_modules": ["query"], '
      '"bias": "none", "use_rslora": true, "init_lora_weights": true, "modules_to_save": null}')

write("options", "text", "tfiles: [a.txt, 'b*.gz']\nformat: jsonl\ntext: [a, b]\nprefix: 'x: '\nheader: false\nmax_record_bytes: 100\n\0label=y")
write("options", "tokenizer", "ktype: sentencepiece\nalgorithm: bpe\nvocab_size: 300\nsentinels: 10\nphrases: {passes: 2, threshold: 1e2}\n")
write("options", "train", "rsteps: 10\nbatch_size: 4\nprecision: bf16\nthreads: 2\n\0micro_batches=2")
write("options", "all", "etext: {files: [a]}\nlora: {rank: 4, targets: ['*.q']}\nschedule: {type: wsd, warmup_steps: 3}\ntrain: {steps: 2}\n"
      "\0lora.targets.0=x\0tokenizer.type=words\0lora=null\0text.files=[a, b]")

write("words", "table", 'w{"lower": true, "punctuation": "split", "missed": 3}\0the\t30\nowl\t20\nnew_york\t5\n\0' + "0\tnew\tyork\n1\tnew_york\tcity\n")
write("words", "analogies", "a: capitals\nparis france rome italy\n: family\nking queen man woman\n")
write("words", "pairs", "pWord 1\tWord 2\tHuman (mean)\nlove\tsex\t6.77\n# remark\ntiger\tcat\t7.35\n")
write("words", "pairs_spaces", "pold new A 1.58\nsmart intelligent A 9.2\n")
write("words", "prompts", "l\ufeffthe old\r\n\nowl \n")
write("words", "ids", "d[1, 2, 3]\n-4 5")

write("columns", "jsonl", 'cj{"text": "the owl", "label": "a"}\n\n{"text": "\\u0000x", "label": 1, "more": [1, {"b": null}]}\n')
write("columns", "tsv", "cttext\tlabel\nthe owl\ta\na fox\tb\n")
write("columns", "lines", "-lone\r\n\ntwo")
write("columns", "paragraphs", "-pone\ntwo\n\nthree\n")
write("columns", "sets", 'sj{"a": "x", "b": 2, "labels": ["p", "q"]}\n')
write("columns", "sets_tsv", "sta\tb\tlabels\nx\ty\tp,q\n")
write("columns", "tags", 'tj{"words": ["Ada", "wrote"], "tags": ["B", "O"]}\n')
write("columns", "tags_tsv", "ttwords\ttags\nAda wrote\tB O\n")
write("columns", "values", 'nj{"text": "x", "value": 2.5}\n{"text": "y", "value": "-1e3"}\n')
write("columns", "choices", 'mj{"text": "x", "choices": ["a", "b"], "label": "B"}\n')
write("columns", "choices_tsv", "ottext\ta\tb\tlabel\nx\tone\ttwo\t1\n")
write("columns", "squad", 'qj{"question": "who?", "context": "the \u00e9 owl", "answers": {"text": ["owl"], "answer_start": [6]}}\n')
write("columns", "answers_tsv", "ftquestion\tcontext\tanswers\nwho?\tthe owl\towl\n")
write("columns", "targets", 'wj{"text": "x", "target": "y z"}\n')

write("run_files", "classes", 'c["neg", "pos"]')
write("run_files", "metrics", 'm{"kind":"train","step":1,"loss":null}\n{"kind":"eval","step":2,"split":"valid","loss":1.5}\n{"kind":"tra')
write("run_files", "forward", 'f{"ids": [1, 2, 3], "token_types": [0, 0, 1], "decoder_ids": [4]}')
write("run_files", "forward_text", 'f{"text": "the owl"}')
write("run_files", "state", 's{"version": 1, "step": 40, "tokens": 640, "labels": 96, "skipped": 0, "skipped_in_a_row": 0, "seconds": 1.5, '
      '"evaluated_step": 40, "evaluations_since_best": 0, "best": {"checkpoint": "step-0000040", "metric": "loss", "value": 2.5}, '
      '"batches": {"epoch": 1, "position": 8}, "identity": {"threads": "1"}}')
