#!/usr/bin/env python3
"""What the matrix products of a step of cases.json cost, and the tokens per second that a machine's products allow.

    bench/vs_transformers/limits.py --gemm FP32 BF16      FLOP/s of products, as `lmzoo bench machine` prints them

Forward and backward are 6 FLOP a weight and row, attention 12 a query, visible key and channel. `needed`: the last block of bert
at labeled rows only (docs/decisions/005-wanted-rows.md); `all rows`: without that.
"""
import argparse
import json
import pathlib

CASES = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text())


def stack(layers, width, ffn, rows, keys, kept=1.0):
    """Blocks of self-attention and feed-forward; the last one makes queries and what follows at a share of the rows."""
    attended = 12 * width * rows * keys
    block = 6 * (4 * width * width + 2 * width * ffn) * rows + attended
    last = 6 * (2 * width * width * rows + (2 * width * width + 2 * width * ffn) * rows * kept) + attended * kept
    return (layers - 1) * block + last


def operations(family, case, kept):
    layers, width, ffn = case["layers"], case["width"], case["ffn"]
    rows, length = case["batch"] * case["source"], case["source"]
    if family == "t5":
        targets, target = case["batch"] * case["target"], case["target"]
        cross = layers * (6 * 2 * width * width * (rows + targets) + 12 * width * targets * length)
        products = stack(layers, width, ffn, rows, length) + stack(layers, width, ffn, targets, (target + 1) / 2) + cross
        return products + 6 * targets * case["vocab"] * width
    if family == "gpt":
        return stack(layers, width, ffn, rows, (length + 1) / 2) + 6 * rows * case["vocab"] * width
    labeled = case["rate"] * rows
    return stack(layers, width, ffn, rows, length, kept) + 6 * labeled * (case["vocab"] + width) * width


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gemm", type=float, nargs=2, required=True, metavar=("FP32", "BF16"))
    args = parser.parse_args()
    for family, case in CASES.items():
        tokens = case["batch"] * (case["source"] + case["target"])
        needed, whole = operations(family, case, case["rate"]), operations(family, case, 1.0)
        limits = [f"{tokens * rate / needed:,.0f}" for rate in args.gemm]
        print(f"{family}: needed {needed / 1e9:.1f} G a step, all rows {whole / 1e9:.1f} G; at most {limits[0]} tokens/s in fp32, "
              f"{limits[1]} in bf16")


if __name__ == "__main__":
    main()
