"""Writes tests/fuzz/corpus: a few small right files for every fuzz target, from which libFuzzer makes wrong ones.

Reads tests/golden. Standard library only.
"""
import gzip
import io
import pathlib
import struct
import zipfile

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
