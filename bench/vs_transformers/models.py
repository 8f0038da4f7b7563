"""The three mini models of cases.json in transformers, and the batches they share with lmzoo."""
import json
import pathlib

import torch
import transformers

CASES = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text())
IGNORE = -100


def build(family, dropout):
    case = CASES[family]
    torch.manual_seed(1)
    if family == "bert":
        config = transformers.BertConfig(
            vocab_size=case["vocab"], hidden_size=case["width"], num_hidden_layers=case["layers"],
            num_attention_heads=case["heads"], intermediate_size=case["ffn"], max_position_embeddings=case["source"],
            hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
        return transformers.BertForMaskedLM(config)
    if family == "gpt":
        config = transformers.GPT2Config(
            vocab_size=case["vocab"], n_embd=case["width"], n_layer=case["layers"], n_head=case["heads"],
            n_inner=case["ffn"], n_positions=case["source"], resid_pdrop=dropout, embd_pdrop=dropout,
            attn_pdrop=dropout, bos_token_id=0, eos_token_id=1)
        return transformers.GPT2LMHeadModel(config)
    config = transformers.T5Config(
        vocab_size=case["vocab"], d_model=case["width"], d_kv=case["width"] // case["heads"], d_ff=case["ffn"],
        num_layers=case["layers"], num_heads=case["heads"], dropout_rate=dropout, decoder_start_token_id=0)
    return transformers.T5ForConditionalGeneration(config)


def decay_groups(model):
    """Weight decay on matrices only, as lmzoo does."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    return [{"params": matrices, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]


def make_batches(family, count):
    """ids [B, S] and labels ([B, S] with IGNORE for bert, ids for gpt, [B, T] for t5), reproducible."""
    case = CASES[family]
    generator = torch.Generator().manual_seed(7)
    tensors = {}
    for index in range(count):
        ids = torch.randint(5, case["vocab"], (case["batch"], case["source"]), generator=generator)
        if family == "gpt":
            labels = ids
        elif family == "t5":
            labels = torch.randint(5, case["vocab"], (case["batch"], case["target"]), generator=generator)
        else:
            chosen = torch.rand(ids.shape, generator=generator) < case["rate"]
            labels = torch.where(chosen, ids, IGNORE)
            ids = torch.where(chosen, torch.full_like(ids, 4), ids)
        tensors[f"ids.{index}"] = ids.contiguous()
        tensors[f"labels.{index}"] = labels.clone()
    return tensors


def unpack_batches(tensors):
    count = len(tensors) // 2
    return [
        {"ids": tensors[f"ids.{i}"], "labels": tensors[f"labels.{i}"], "mask": torch.ones_like(tensors[f"ids.{i}"])}
        for i in range(count)
    ]
