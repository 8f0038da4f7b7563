#!/usr/bin/env python3
"""Writes adamw.json: weights after steps of torch.optim.AdamW with clip_grad_norm_, in float64.

Initial weights and gradients are formulas that tests/train/optimizers/optimizer_test.cpp repeats.
    python tests/golden/adamw.py      (needs torch; written with 2.13.0)
"""
import json
import math
import pathlib

import torch

STEPS = [1, 2, 10, 100, 300]


def values(shape, seed):
    count = math.prod(shape)
    return torch.tensor([math.sin(seed + 0.7 * i) for i in range(count)], dtype=torch.float64).reshape(shape)


def main():
    matrix = torch.nn.Parameter(values((3, 4), 1.0))
    bias = torch.nn.Parameter(values((3,), 2.0))
    optimizer = torch.optim.AdamW(
        [{"params": [matrix], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}],
        betas=(0.9, 0.98), eps=1e-9)
    rows = []
    for step in range(1, STEPS[-1] + 1):
        # Gradients grow and shrink, so that some steps are clipped and others not.
        size = 0.1 + abs(math.sin(0.05 * step))
        matrix.grad = values((3, 4), 3.0 + step) * size
        bias.grad = values((3,), 5.0 - step) * size
        norm = torch.nn.utils.clip_grad_norm_([matrix, bias], 1.5)
        for group in optimizer.param_groups:
            group["lr"] = 0.02 / (1 + 0.01 * step)
        optimizer.step()
        if step in STEPS:
            rows.append({"step": step, "norm": float(norm), "matrix": matrix.detach().flatten().tolist(),
                         "bias": bias.detach().tolist()})
    path = pathlib.Path(__file__).with_name("adamw.json")
    path.write_text(json.dumps({"torch": torch.__version__, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
