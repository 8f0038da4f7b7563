"""Writes tests/golden/models/*.safetensors: tiny random models of Hugging Face transformers and what they compute.

    pip install torch==2.13.0 transformers==4.57.1 safetensors==0.8.0
    python tests/golden/models.py

Each file holds, for two sequences packed one after the other,
    ids, lengths [, token_types] [, decoder_ids, decoder_lengths], labels   int64
    weight.NAME          float32, NAME and layout as in lmzoo
    logits, loss         float64; loss is the mean of -log p(label) over all positions
    gradient.NAME        float64, of the loss
    hidden.K             float64: the embeddings, then every layer's output, the last after the final norm
    attention.K          float64: probabilities [sequence, head, query, key], zero outside of sequences
computed in float64 from the float32 weights, one sequence at a time.
"""
import pathlib
import re

import torch
import transformers
from safetensors.torch import save_file

VOCABULARY, WIDTH, HEADS, FFN, LAYERS, LENGTHS, TARGET_LENGTHS = 29, 8, 2, 12, 2, (5, 3), (2, 4)
OUT = pathlib.Path(__file__).parent / "models"


def bert():
    return transformers.BertForMaskedLM(transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        intermediate_size=FFN, max_position_embeddings=7, attn_implementation="eager"))


def gpt1():
    return transformers.OpenAIGPTLMHeadModel(transformers.OpenAIGPTConfig(
        vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_positions=7, attn_implementation="eager"))


def gpt2():
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_positions=7, n_inner=FFN,
        attn_implementation="eager"))


def llama():
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        num_key_value_heads=1, intermediate_size=FFN, max_position_embeddings=7, rms_norm_eps=1e-6,
        attn_implementation="eager"))


def t5(**options):
    return transformers.T5ForConditionalGeneration(transformers.T5Config(
        vocab_size=VOCABULARY, d_model=WIDTH, d_kv=3, d_ff=FFN, num_layers=LAYERS, num_heads=HEADS,
        relative_attention_num_buckets=8, relative_attention_max_distance=6, attn_implementation="eager", **options))


def t5_v1_1():
    return t5(feed_forward_proj="gated-gelu", tie_word_embeddings=False)


# Pattern of a name in transformers -> name in lmzoo; several sources of one name are joined in this order. A name
# that ends in "^T" is stored [in, out] there. "" drops what is there twice (tied).
GPT_BLOCK = [
    (r"h\.(\d+)\.attn\.c_attn\.weight", r"stack.block\1.attention.qkv.weight^T"),
    (r"h\.(\d+)\.attn\.c_attn\.bias", r"stack.block\1.attention.qkv.bias"),
    (r"h\.(\d+)\.attn\.c_proj\.weight", r"stack.block\1.attention.out.weight^T"),
    (r"h\.(\d+)\.attn\.c_proj\.bias", r"stack.block\1.attention.out.bias"),
    (r"h\.(\d+)\.mlp\.c_fc\.weight", r"stack.block\1.feed_forward.in.weight^T"),
    (r"h\.(\d+)\.mlp\.c_fc\.bias", r"stack.block\1.feed_forward.in.bias"),
    (r"h\.(\d+)\.mlp\.c_proj\.weight", r"stack.block\1.feed_forward.out.weight^T"),
    (r"h\.(\d+)\.mlp\.c_proj\.bias", r"stack.block\1.feed_forward.out.bias"),
    (r"h\.(\d+)\.ln_1\.(\w+)", r"stack.block\1.attention_norm.\2"),
    (r"h\.(\d+)\.ln_2\.(\w+)", r"stack.block\1.feed_forward_norm.\2"),
    (r"ln_f\.(\w+)", r"stack.final_norm.\1"),
    (r"(wte|tokens_embed)\.weight", "tokens.weight"),
    (r"(wpe|positions_embed)\.weight", "positions.weight"),
]
RULES = {
    "bert": [
        (r"bert\.embeddings\.word_embeddings\.weight", "tokens.weight"),
        (r"bert\.embeddings\.position_embeddings\.weight", "positions.weight"),
        (r"bert\.embeddings\.token_type_embeddings\.weight", "token_types.weight"),
        (r"bert\.embeddings\.LayerNorm\.(\w+)", r"embedding_norm.\1"),
        (r"bert\.encoder\.layer\.(\d+)\.attention\.self\.(?:query|key|value)\.(\w+)", r"stack.block\1.attention.qkv.\2"),
        (r"bert\.encoder\.layer\.(\d+)\.attention\.output\.dense\.(\w+)", r"stack.block\1.attention.out.\2"),
        (r"bert\.encoder\.layer\.(\d+)\.attention\.output\.LayerNorm\.(\w+)", r"stack.block\1.attention_norm.\2"),
        (r"bert\.encoder\.layer\.(\d+)\.intermediate\.dense\.(\w+)", r"stack.block\1.feed_forward.in.\2"),
        (r"bert\.encoder\.layer\.(\d+)\.output\.dense\.(\w+)", r"stack.block\1.feed_forward.out.\2"),
        (r"bert\.encoder\.layer\.(\d+)\.output\.LayerNorm\.(\w+)", r"stack.block\1.feed_forward_norm.\2"),
        (r"cls\.predictions\.transform\.dense\.(\w+)", r"head.\1"),
        (r"cls\.predictions\.transform\.LayerNorm\.(\w+)", r"head_norm.\1"),
        (r"cls\.predictions\.bias", "head_bias"),
    ],
    "gpt1": [(r"transformer\." + pattern, name) for pattern, name in GPT_BLOCK],
    "gpt2": [(r"transformer\." + pattern, name) for pattern, name in GPT_BLOCK],
    "llama": [
        (r"model\.embed_tokens\.weight", "tokens.weight"),
        (r"model\.layers\.(\d+)\.self_attn\.[qkv]_proj\.weight", r"stack.block\1.attention.qkv.weight"),
        (r"model\.layers\.(\d+)\.self_attn\.o_proj\.weight", r"stack.block\1.attention.out.weight"),
        (r"model\.layers\.(\d+)\.mlp\.(?:gate|up)_proj\.weight", r"stack.block\1.feed_forward.in.weight"),
        (r"model\.layers\.(\d+)\.mlp\.down_proj\.weight", r"stack.block\1.feed_forward.out.weight"),
        (r"model\.layers\.(\d+)\.input_layernorm\.weight", r"stack.block\1.attention_norm.weight"),
        (r"model\.layers\.(\d+)\.post_attention_layernorm\.weight", r"stack.block\1.feed_forward_norm.weight"),
        (r"model\.norm\.weight", "stack.final_norm.weight"),
        (r"lm_head\.weight", "head.weight"),
    ],
    "t5": [
        (r"shared\.weight", "tokens.weight"),
        (r"(encoder|decoder)\.block\.0\.layer\.0\.SelfAttention\.relative_attention_bias\.weight", r"\1_bias.weight"),
        (r"(encoder|decoder)\.block\.(\d+)\.layer\.0\.SelfAttention\.[qkv]\.weight", r"\1.block\2.attention.qkv.weight"),
        (r"(encoder|decoder)\.block\.(\d+)\.layer\.0\.SelfAttention\.o\.weight", r"\1.block\2.attention.out.weight"),
        (r"(encoder|decoder)\.block\.(\d+)\.layer\.0\.layer_norm\.weight", r"\1.block\2.attention_norm.weight"),
        (r"decoder\.block\.(\d+)\.layer\.1\.EncDecAttention\.q\.weight", r"decoder.block\1.cross_attention.q.weight"),
        (r"decoder\.block\.(\d+)\.layer\.1\.EncDecAttention\.[kv]\.weight", r"decoder.block\1.cross_attention.kv.weight"),
        (r"decoder\.block\.(\d+)\.layer\.1\.EncDecAttention\.o\.weight", r"decoder.block\1.cross_attention.out.weight"),
        (r"decoder\.block\.(\d+)\.layer\.1\.layer_norm\.weight", r"decoder.block\1.cross_norm.weight"),
        (r"(encoder|decoder)\.block\.(\d+)\.layer\.\d\.DenseReluDense\.wi(?:_0|_1)?\.weight", r"\1.block\2.feed_forward.in.weight"),
        (r"(encoder|decoder)\.block\.(\d+)\.layer\.\d\.DenseReluDense\.wo\.weight", r"\1.block\2.feed_forward.out.weight"),
        (r"(encoder|decoder)\.block\.(\d+)\.layer\.[12]\.layer_norm\.weight", r"\1.block\2.feed_forward_norm.weight"),
        (r"(encoder|decoder)\.final_layer_norm\.weight", r"\1.final_norm.weight"),
        (r"lm_head\.weight", "head.weight"),
    ],
}
RULES["t5_v1_1"] = RULES["t5"]


def renamed(family, tensors):
    """tensors: (name, tensor) in transformers' names -> {lmzoo name: tensor}."""
    parts = {}
    for name, tensor in tensors:
        for pattern, replacement in RULES[family]:
            if re.fullmatch(pattern, name):
                target = re.sub(pattern, replacement, name)
                if target.endswith("^T"):
                    target, tensor = target[:-2], tensor.t()
                parts.setdefault(target, []).append(tensor)
                break
        else:
            raise KeyError(name)
    return {name: torch.cat(tensors).contiguous() for name, tensors in parts.items()}


def randomize(model):
    """Weights large enough that every part changes the logits; scales of norms near 1. Exact in float32."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, dtype=torch.float32)
        is_scale = parameter.dim() == 1 and name.endswith("weight")
        parameter.data = (1 + 0.2 * noise if is_scale else 0.4 * noise).double()


def sequence_inputs(family, ids, types, decoder_ids):
    if family.startswith("t5"):
        return {"input_ids": ids, "decoder_input_ids": decoder_ids}
    return {"input_ids": ids, "token_type_ids": types} if family == "bert" else {"input_ids": ids}


def padded(blocks):
    """[H, L, L] of each sequence -> [n, H, longest, longest]."""
    longest = max(block.shape[-1] for block in blocks)
    return torch.stack([torch.nn.functional.pad(b, [0, longest - b.shape[-1]] * 2) for b in blocks])


def run(family, model):
    two_stacks = family.startswith("t5")
    label_lengths = TARGET_LENGTHS if two_stacks else LENGTHS
    ids = [torch.randint(0, VOCABULARY, (n,)) for n in LENGTHS]
    types = [torch.randint(0, 2, (n,)) for n in LENGTHS]
    decoder_ids = [torch.randint(0, VOCABULARY, (n,)) for n in TARGET_LENGTHS]
    labels = torch.randint(0, VOCABULARY, (sum(label_lengths),))
    outputs = [
        model(**sequence_inputs(family, i[None], t[None], d[None]), output_hidden_states=True, output_attentions=True)
        for i, t, d in zip(ids, types, decoder_ids)
    ]
    logits = torch.cat([output.logits[0] for output in outputs])
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    kept = {"ids": torch.cat(ids), "lengths": torch.tensor(LENGTHS), "labels": labels, "logits": logits, "loss": loss}
    if family == "bert":
        kept["token_types"] = torch.cat(types)
    if two_stacks:
        kept |= {"decoder_ids": torch.cat(decoder_ids), "decoder_lengths": torch.tensor(TARGET_LENGTHS)}
    prefix = "decoder_" if two_stacks else ""
    for layer in range(LAYERS + 1):
        kept[f"hidden.{layer}"] = torch.cat([output[prefix + "hidden_states"][layer][0] for output in outputs])
    for layer in range(LAYERS):
        kept[f"attention.{layer}"] = padded([output[prefix + "attentions"][layer][0] for output in outputs])
    return kept


def main():
    OUT.mkdir(exist_ok=True)
    makers = {"bert": bert, "gpt1": gpt1, "gpt2": gpt2, "llama": llama, "t5": t5, "t5_v1_1": t5_v1_1}
    for seed, (family, make) in enumerate(makers.items()):
        torch.manual_seed(seed)
        model = make().eval()
        randomize(model)
        kept = run(family, model)
        for name, tensor in renamed(family, model.named_parameters()).items():
            kept["weight." + name] = tensor.float()
        gradients = [(name, parameter.grad) for name, parameter in model.named_parameters()]
        for name, tensor in renamed(family, gradients).items():
            kept["gradient." + name] = tensor
        save_file({name: tensor.detach().clone().contiguous() for name, tensor in kept.items()},
                  OUT / f"{family}.safetensors")
        print(family, float(kept["loss"].detach()))


if __name__ == "__main__":
    main()
