#!/usr/bin/env python3
"""Sentence embeddings of the published encoder (tools/fetch_minilm.sh): lmzoo's against those of transformers.

    tests/golden/minilm_embeddings.py LMZOO TEXT_FILE [--model checkpoints/minilm]

Mean of all positions of the last layer, normalized, for every line of the file. Prints the largest difference of any
number, and fails above 1e-5. Needs transformers (.venv-peer/bin/python, see bench/peers.py).
"""
import argparse
import json
import subprocess
import sys

import torch
import transformers

parser = argparse.ArgumentParser()
parser.add_argument("lmzoo")
parser.add_argument("text")
parser.add_argument("--model", default="checkpoints/minilm")
args = parser.parse_args()

lines = [line for line in open(args.text, encoding="utf-8").read().split("\n") if line.strip()]
done = subprocess.run([args.lmzoo, "embed", args.model, "--normalize", "--json"], input="\n".join(lines), text=True,
                      capture_output=True, check=True)
ours = torch.tensor([entry["vector"] for entry in json.loads(done.stdout)], dtype=torch.float64)

tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
model = transformers.AutoModel.from_pretrained(args.model).eval()
worst = 0.0
with torch.no_grad():
    for line, vector in zip(lines, ours, strict=True):
        states = model(**tokenizer(line, return_tensors="pt")).last_hidden_state[0]
        theirs = torch.nn.functional.normalize(states.mean(0), dim=0).double()
        worst = max(worst, (vector - theirs).abs().max().item())
print(f"{len(lines)} texts: largest difference {worst:.1e}")
sys.exit(worst > 1e-5)
