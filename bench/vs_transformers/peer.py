"""The peer of bench/vs_transformers: the same model in Hugging Face transformers, driven over standard input.

    peer.py FAMILY --folder DIR --precision fp32|bf16|fp64 --dropout P [--lr R] [--tuned]

DIR holds what make_inputs.py wrote: the weights and the batches. Every line "K" on standard input runs K training steps
(forward, backward, clip at 1, AdamW) and answers one JSON line: {"ms": [...], "loss": [...], "rss_mb": peak}.

As its users run it: the library's own loss over all positions, torch.optim.AdamW, clip_grad_norm_. Tuned: fused AdamW, the
masked-LM head on labeled rows only, denormals flushed; run.py preloads tcmalloc and oneMKL's AVX-512 switch.
"""
import argparse
import contextlib
import json
import pathlib
import resource
import sys
import time

import torch
from safetensors.torch import load_file
from transformers.models.t5.modeling_t5 import T5LayerNorm

import models


def masked_lm_on_labeled_rows(model, batch):
    """BertForMaskedLM's loss, with its head applied to the labeled positions only."""
    hidden = model.bert(input_ids=batch["ids"], attention_mask=batch["mask"]).last_hidden_state
    rows = batch["labels"].flatten() != -100
    logits = model.cls(hidden.flatten(0, 1)[rows])
    return torch.nn.functional.cross_entropy(logits.float(), batch["labels"].flatten()[rows])


def library_loss(model, batch):
    return model(input_ids=batch["ids"], attention_mask=batch["mask"], labels=batch["labels"]).loss


def stay_in_double():
    """The library computes T5's norm and some losses in float32 whatever the model's type is."""
    to_float = torch.Tensor.float
    torch.Tensor.float = lambda x: x if x.dtype == torch.float64 else to_float(x)

    def norm(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)

    T5LayerNorm.forward = norm


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=["bert", "gpt", "t5"])
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--precision", choices=["fp32", "bf16", "fp64"], default="fp32")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    if args.tuned:
        torch.set_flush_denormal(True)
    model = models.build(args.family, args.dropout)
    model.load_state_dict(load_file(args.folder / "peer.safetensors"), strict=False)
    model.tie_weights()
    if args.precision == "fp64":
        stay_in_double()
        model.double()
    model.train()
    batches = models.unpack_batches(load_file(args.folder / "batches.safetensors"))
    optimizer = torch.optim.AdamW(
        models.decay_groups(model), lr=args.lr, betas=(0.9, 0.999), eps=1e-8, **({"fused": True} if args.tuned else {})
    )
    loss_of = masked_lm_on_labeled_rows if args.tuned and args.family == "bert" else library_loss
    autocast = torch.autocast("cpu", torch.bfloat16) if args.precision == "bf16" else contextlib.nullcontext()

    done = 0
    print(json.dumps({"ready": True, "parameters": sum(p.numel() for p in model.parameters())}), flush=True)
    for line in sys.stdin:
        milliseconds, losses = [], []
        for _ in range(int(line)):
            begin = time.perf_counter()
            with autocast:
                loss = loss_of(model, batches[done % len(batches)])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            milliseconds.append(1000 * (time.perf_counter() - begin))
            losses.append(loss.item())
            done += 1
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"ms": milliseconds, "loss": losses, "rss_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
