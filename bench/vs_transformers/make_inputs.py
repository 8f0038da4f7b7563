"""Writes the weights and batches that both sides of bench/vs_transformers start from.

    make_inputs.py FAMILY FOLDER --batches N

FOLDER/peer.safetensors     the transformers model's weights, its own names
FOLDER/lmzoo.safetensors    the same numbers under lmzoo's names
FOLDER/batches.safetensors  ids and labels
"""
import argparse
import pathlib

from safetensors.torch import save_file

import models
import rename


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=sorted(models.CASES))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--batches", type=int, required=True)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    model = models.build(args.family, dropout=0.0)
    state = {name: tensor.detach().clone().contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, args.folder / "peer.safetensors")
    save_file(rename.to_lmzoo(args.family, model), args.folder / "lmzoo.safetensors")
    save_file(models.make_batches(args.family, args.batches), args.folder / "batches.safetensors")


if __name__ == "__main__":
    main()
