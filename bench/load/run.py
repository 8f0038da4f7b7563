#!/usr/bin/env python3
"""How long a published checkpoint of GPT-2's size (124 M parameters, 498 MB) takes to load, and how much memory.

    bench/load/run.py LMZOO [--rounds 7]

Writes two folders of the same format, one of GPT-2's size and one next to nothing, and runs `lmzoo forward` over one id with
both, by turns. The difference of the times is what the weights cost, their files in the page cache. The difference of the peaks
of anonymous memory (RssAnon, looked at every two milliseconds; mapped pages of the file are the page cache's), less the size
of the file, is what is held besides one copy of the weights. Standard library only.
"""
import argparse
import json
import pathlib
import statistics
import struct
import subprocess
import tempfile
import time


def tensors(width, layers, vocabulary, positions):
    yield "wte.weight", (vocabulary, width)
    yield "wpe.weight", (positions, width)
    for i in range(layers):
        for norm in ("ln_1", "ln_2"):
            yield f"h.{i}.{norm}.weight", (width,)
            yield f"h.{i}.{norm}.bias", (width,)
        for name, inputs, outputs in (("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width),
                                      ("mlp.c_fc", width, 4 * width), ("mlp.c_proj", 4 * width, width)):
            yield f"h.{i}.{name}.weight", (inputs, outputs)
            yield f"h.{i}.{name}.bias", (outputs,)
    yield "ln_f.weight", (width,)
    yield "ln_f.bias", (width,)


def write(folder, width, layers, heads, vocabulary, positions):
    folder.mkdir()
    config = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": width, "n_layer": layers, "n_head": heads,
              "vocab_size": vocabulary, "n_positions": positions}
    (folder / "config.json").write_text(json.dumps(config))
    header, at = {}, 0
    for name, shape in tensors(width, layers, vocabulary, positions):
        size = 4
        for extent in shape:
            size *= extent
        header["transformer." + name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    block = struct.pack("<256f", *(0.001 * (i - 128) for i in range(256))) * 1024
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        while at > 0:
            file.write(block[:at])
            at -= len(block)
    return (folder / "model.safetensors").stat().st_size


def anonymous_bytes(pid):
    try:
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def run(lmzoo, model, folder):
    """Seconds and peak bytes of anonymous memory."""
    begin = time.perf_counter()
    process = subprocess.Popen([lmzoo, "forward", model, "--input", folder / "one.jsonl", "--out", folder / "out.safetensors"],
                               stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous_bytes(process.pid))
        time.sleep(0.002)
    if process.returncode != 0:
        raise SystemExit("lmzoo forward failed")
    return time.perf_counter() - begin, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lmzoo", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "one.jsonl").write_text('{"ids": [1]}\n')
        size = write(folder / "gpt2", 768, 12, 12, 50257, 1024)
        write(folder / "tiny", 8, 1, 1, 10, 8)
        seconds, extra = [], []
        for i in range(args.rounds + 1):
            small, large = run(args.lmzoo, folder / "tiny", folder), run(args.lmzoo, folder / "gpt2", folder)
            if i > 0:  # the first reads the files into the page cache
                seconds.append(large[0] - small[0])
                extra.append((large[1] - small[1] - size) / 2**20)
        print(f"124 M parameters load in {statistics.median(seconds):.2f} s ({min(seconds):.2f}-{max(seconds):.2f}) beyond the start of "
              f"the program; {statistics.median(extra):.0f} MiB beyond the {size / 2**20:.0f} MiB of weights")


if __name__ == "__main__":
    main()
