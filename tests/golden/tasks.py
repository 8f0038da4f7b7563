"""Writes tests/golden/tasks/*.safetensors: tiny random models of transformers with a task's head, and their losses.

    pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0
    python tests/golden/tasks.py

Each file holds, for a few examples,
    a.K, b.K             int64: content ids of example K's first and second text (b: where there is one; b.K.J: choice J)
    ids.K [.J], types.K  int64: what the model read, with special ids
    label.K              the label: a class, flags, a number, classes of the words, begin and end, a choice
    words.K              int64: first id in a.K of each word
    model.NAME, objective.NAME, gradient.*   float32: weights and gradients of the loss, in lmzoo's names
    loss                 float64: the mean over the examples (of tags: over the words)
computed in float64 from the float32 weights, one sequence at a time.
"""
import pathlib

import torch
import transformers
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from models import GPT_BLOCK, RULES, randomize, renamed

VOCABULARY, WIDTH, HEADS, FFN, POSITIONS = 19, 8, 2, 12, 16
CLS, SEP, START = 1, 2, 3
OUT = pathlib.Path(__file__).parent / "tasks"
EAGER = {"attn_implementation": "eager"}

BODY = [rule for rule in RULES["bert"] if rule[0].startswith("bert")]
HEAD = [(r"(?:classifier|qa_outputs)\.(\w+)", r"objective.output.\1")]
POOLER = [(r"bert\.pooler\.dense\.(\w+)", r"pooler.\1")]
RULES["task_bert"] = BODY + POOLER + HEAD
RULES["task_roberta"] = [(p.replace("bert", "roberta", 1), n) for p, n in BODY] + [
    (r"classifier\.dense\.(\w+)", r"objective.dense.\1"), (r"classifier\.out_proj\.(\w+)", r"objective.output.\1")]
RULES["task_distilbert"] = [
    (r"distilbert\.embeddings\.word_embeddings\.weight", "tokens.weight"),
    (r"distilbert\.embeddings\.position_embeddings\.weight", "positions.weight"),
    (r"distilbert\.embeddings\.LayerNorm\.(\w+)", r"embedding_norm.\1"),
    (r"distilbert\.transformer\.layer\.(\d+)\.attention\.[qkv]_lin\.(\w+)", r"stack.block\1.attention.qkv.\2"),
    (r"distilbert\.transformer\.layer\.(\d+)\.attention\.out_lin\.(\w+)", r"stack.block\1.attention.out.\2"),
    (r"distilbert\.transformer\.layer\.(\d+)\.sa_layer_norm\.(\w+)", r"stack.block\1.attention_norm.\2"),
    (r"distilbert\.transformer\.layer\.(\d+)\.ffn\.lin1\.(\w+)", r"stack.block\1.feed_forward.in.\2"),
    (r"distilbert\.transformer\.layer\.(\d+)\.ffn\.lin2\.(\w+)", r"stack.block\1.feed_forward.out.\2"),
    (r"distilbert\.transformer\.layer\.(\d+)\.output_layer_norm\.(\w+)", r"stack.block\1.feed_forward_norm.\2"),
    (r"pre_classifier\.(\w+)", r"objective.dense.\1"), (r"classifier\.(\w+)", r"objective.output.\1")]
RULES["task_gpt2"] = [(r"transformer\." + p, n) for p, n in GPT_BLOCK] + [(r"score\.(\w+)", r"objective.output.\1")]
RULES["task_gpt1"] = [(r"transformer\." + p, n) for p, n in GPT_BLOCK] + [
    (r"multiple_choice_head\.summary\.(\w+)", r"objective.output.\1")]


def bert_config(**more):
    return transformers.BertConfig(vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=1,
                                   num_attention_heads=HEADS, intermediate_size=FFN,
                                   max_position_embeddings=POSITIONS, **EAGER, **more)


def text(low, high):
    return torch.randint(4, VOCABULARY, (int(torch.randint(low, high + 1, ())),))


def framed(*texts):
    """[CLS] a [SEP] b [SEP] and its token types."""
    parts, types = [torch.tensor([CLS])], [torch.tensor([0])]
    for kind, ids in enumerate(texts):
        parts += [ids, torch.tensor([SEP])]
        types.append(torch.full((len(ids) + 1,), kind))
    return torch.cat(parts), torch.cat(types)


def read(model, kept, key, ids, types=None, **more):
    kept["ids." + key] = ids
    if types is not None:
        kept["types." + key] = types
        more["token_type_ids"] = types[None]
    return model(input_ids=ids[None], **more)


def pairs(model, kept, label, count=3):
    losses = []
    for k in range(count):
        a, b = text(2, 4), text(1, 4)
        kept[f"a.{k}"], kept[f"b.{k}"], kept[f"label.{k}"] = a, b, label(k)
        losses.append(read(model, kept, str(k), *framed(a, b), labels=kept[f"label.{k}"][None]).loss)
    return torch.stack(losses).mean()


def classes(model, kept):
    return pairs(model, kept, lambda k: torch.tensor(k % 3))


def flags(model, kept):
    return pairs(model, kept, lambda k: torch.randint(0, 2, (4,)).double())


def numbers(model, kept):
    return pairs(model, kept, lambda k: torch.randn((1,)).float().double())


def singles(model, kept, before=(CLS,), after=(SEP,)):
    losses = []
    for k in range(3):
        kept[f"a.{k}"], kept[f"label.{k}"] = text(2, 5), torch.tensor(k % 3)
        ids = torch.cat([torch.tensor(before, dtype=int), kept[f"a.{k}"], torch.tensor(after, dtype=int)])
        losses.append(read(model, kept, str(k), ids, labels=kept[f"label.{k}"][None]).loss)
    return torch.stack(losses).mean()


def plain_singles(model, kept):
    return singles(model, kept, before=(), after=(SEP,))


def tags(model, kept):
    logits, labels = [], []
    for k, words in enumerate(([2, 1, 3], [1, 2])):  # ids of each word
        kept[f"a.{k}"] = torch.randint(4, VOCABULARY, (sum(words),))
        starts = torch.tensor([sum(words[:i]) for i in range(len(words))])
        kept[f"words.{k}"], kept[f"label.{k}"] = starts, torch.randint(0, 3, (len(words),))
        output = read(model, kept, str(k), *framed(kept[f"a.{k}"]))
        logits.append(output.logits[0][1 + starts])
        labels.append(kept[f"label.{k}"])
    return cross_entropy(torch.cat(logits), torch.cat(labels))


def spans(model, kept):
    losses = []
    for k, (begin, end) in enumerate(((1, 2), (0, 0), (-1, -1))):  # ids of the passage; -1: none
        a, b = text(2, 3), text(4, 5)
        ids, types = framed(a, b)
        shift = len(a) + 2 if begin >= 0 else 1  # [CLS] is 0
        ends = torch.tensor([begin + shift, end + shift])
        kept[f"a.{k}"], kept[f"b.{k}"], kept[f"label.{k}"] = a, b, ends
        losses.append(read(model, kept, str(k), ids, types, start_positions=ends[:1], end_positions=ends[1:]).loss)
    return torch.stack(losses).mean()


def choices(model, kept):
    losses = []
    for k, count in enumerate((3, 2)):
        a = text(2, 4)
        kept[f"a.{k}"], kept[f"label.{k}"] = a, torch.tensor(count - 1 - k)
        scores = []
        for j in range(count):
            kept[f"b.{k}.{j}"] = text(1, 4)
            ids, types = framed(a, kept[f"b.{k}.{j}"])
            kept[f"ids.{k}.{j}"], kept[f"types.{k}.{j}"] = ids, types
            scores.append(model(input_ids=ids[None, None], token_type_ids=types[None, None]).logits[0, 0])
        losses.append(cross_entropy(torch.stack(scores)[None], kept[f"label.{k}"][None]))
    return torch.stack(losses).mean()


def gpt1_choices(model, kept):
    losses = []
    for k, count in enumerate((2, 3)):
        a = text(2, 4)
        kept[f"a.{k}"], kept[f"label.{k}"] = a, torch.tensor(k)
        scores, next_token = [], []
        for j in range(count):
            kept[f"b.{k}.{j}"] = text(1, 4)
            ids = torch.cat([torch.tensor([START]), a, torch.tensor([SEP]), kept[f"b.{k}.{j}"], torch.tensor([CLS])])
            kept[f"ids.{k}.{j}"] = ids
            output = model(input_ids=ids[None, None], mc_token_ids=torch.tensor([[len(ids) - 1]]))
            scores.append(output.mc_logits.reshape(()))
            next_token.append(cross_entropy(output.logits[0, 0, :-1], ids[1:]))
        losses.append(cross_entropy(torch.stack(scores)[None], kept[f"label.{k}"][None])
                      + 0.5 * torch.stack(next_token).mean())
    return torch.stack(losses).mean()


def gpt_config(kind):
    return kind(vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=1, n_head=HEADS, n_positions=POSITIONS, num_labels=3,
                pad_token_id=0, **EAGER)


def roberta():
    return transformers.RobertaForSequenceClassification(transformers.RobertaConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=HEADS, type_vocab_size=1,
        intermediate_size=FFN, max_position_embeddings=POSITIONS + 2, num_labels=3, pad_token_id=1,
        layer_norm_eps=1e-5, **EAGER))


def distilbert():
    return transformers.DistilBertForSequenceClassification(transformers.DistilBertConfig(
        vocab_size=VOCABULARY, dim=WIDTH, n_layers=1, n_heads=HEADS, hidden_dim=FFN,
        max_position_embeddings=POSITIONS, num_labels=3, **EAGER))


def gpt1():
    config = gpt_config(transformers.OpenAIGPTConfig)
    config.num_labels = 1
    return transformers.OpenAIGPTDoubleHeadsModel(config)


CASES = {
    "class": ("bert", lambda: transformers.BertForSequenceClassification(bert_config(num_labels=3)), classes),
    "flags": ("bert", lambda: transformers.BertForSequenceClassification(
        bert_config(num_labels=4, problem_type="multi_label_classification")), flags),
    "number": ("bert", lambda: transformers.BertForSequenceClassification(
        bert_config(num_labels=1, problem_type="regression")), numbers),
    "tags": ("bert", lambda: transformers.BertForTokenClassification(bert_config(num_labels=3)), tags),
    "spans": ("bert", lambda: transformers.BertForQuestionAnswering(bert_config()), spans),
    "choice": ("bert", lambda: transformers.BertForMultipleChoice(bert_config()), choices),
    # Position ids of RoBERTa depend on where its padding id, 1, stands: none of the texts has it, and 17 begins.
    "roberta": ("roberta", roberta, lambda model, kept: singles(model, kept, before=(17,))),
    "distilbert": ("distilbert", distilbert, singles),
    "gpt2": ("gpt2", lambda: transformers.GPT2ForSequenceClassification(gpt_config(transformers.GPT2Config)),
             plain_singles),
    "gpt1": ("gpt1", gpt1, gpt1_choices),
}


def ours(family, tensors):
    return {name if name.startswith("objective.") else "model." + name: tensor
            for name, tensor in renamed("task_" + family, tensors).items()}


def main():
    OUT.mkdir(exist_ok=True)
    for seed, (case, (family, make, losses)) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        model = make().eval()
        randomize(model)
        kept = {}
        loss = losses(model, kept)
        loss.backward()
        kept["loss"] = loss
        skipped = {"lm_head.weight"}
        named = [(n, p) for n, p in model.named_parameters() if n not in skipped]
        kept |= {name: tensor.float() for name, tensor in ours(family, named).items()}
        gradients = [(n, torch.zeros_like(p) if p.grad is None else p.grad) for n, p in named]
        kept |= {"gradient." + name: tensor.float() for name, tensor in ours(family, gradients).items()}
        save_file({name: tensor.detach().clone().contiguous() for name, tensor in kept.items()},
                  OUT / f"{case}.safetensors")
        print(case, float(loss.detach()))


if __name__ == "__main__":
    main()
