"""Writes tests/golden/peft/CASE/: LoRA adapters by the PEFT library for the checkpoints of huggingface.py.

    pip install torch==2.13.0 transformers==5.23.0 peft==0.21.2 safetensors==0.8.0
    python tests/golden/peft_adapters.py

Each folder is what save_pretrained of PEFT writes, adapter_config.json and adapter_model.safetensors (float32), and
expected.safetensors: `logits` of the adapted model for the ids of huggingface/CASE/expected.safetensors, computed in
float64 one sequence at a time and stored as float32.

    python tests/golden/peft_adapters.py HF_DIR ADAPTER

loads another program's adapter over a checkpoint with PEFT and prints the logits of the ids 3, 4, ... 9 as JSON.
"""
import json
import pathlib
import shutil
import sys
import warnings

import torch
import transformers as hf
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

HERE = pathlib.Path(__file__).parent
BASES, OUT = HERE / "huggingface", HERE / "peft"
CASES = {
    "bert_classifier": dict(task_type="SEQ_CLS", r=3, lora_alpha=6, target_modules=["query", "value"]),
    "bert_lm": dict(r=2, lora_alpha=5, use_rslora=True, target_modules=["key", "dense"]),
    "roberta_lm": dict(r=4, lora_alpha=4, target_modules=["attention.output.dense", "value"]),
    "distilbert_lm": dict(r=2, target_modules=["q_lin", "k_lin", "v_lin", "lin2"]),
    "gpt1_lm": dict(task_type="CAUSAL_LM", r=2, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True),
    "gpt2_lm": dict(task_type="CAUSAL_LM", r=4, target_modules=["c_attn", "c_proj"], fan_in_fan_out=True),
    "llama_lm": dict(task_type="CAUSAL_LM", r=2, rank_pattern={"up_proj": 5},
                     target_modules=["q_proj", "k_proj", "up_proj", "gate_proj", "down_proj", "o_proj"]),
    "t5_v1_1": dict(task_type="SEQ_2_SEQ_LM", r=2, target_modules=["q", "v", "wi_1"]),
}


def base_of(folder):
    name = json.loads((pathlib.Path(folder) / "config.json").read_text())["architectures"][0]
    return getattr(hf, name).from_pretrained(folder, attn_implementation="eager").eval()


def logits_of(model, expected):
    """Of packed sequences, as expected.safetensors has them."""
    parts, begin, target = [], 0, 0
    for index, length in enumerate(expected["lengths"].tolist()):
        inputs = {"input_ids": expected["ids"][begin:begin + length][None]}
        if "token_types" in expected:
            inputs["token_type_ids"] = expected["token_types"][begin:begin + length][None]
        if "decoder_ids" in expected:
            count = expected["decoder_lengths"][index].item()
            inputs["decoder_input_ids"] = expected["decoder_ids"][target:target + count][None]
            target += count
        begin += length
        with torch.no_grad():
            logits = model(**inputs).logits
        parts.append(logits.reshape(-1, logits.shape[-1]))
    return torch.cat(parts)


def write(name, options):
    model = get_peft_model(base_of(BASES / name), LoraConfig(**options, lora_dropout=0.1)).eval()
    for key, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.data = 0.3 * torch.randn(parameter.shape)
    folder = OUT / name
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = None  # a path of this machine
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    logits = logits_of(model.double(), load_file(BASES / name / "expected.safetensors"))
    save_file({"logits": logits.float().contiguous()}, folder / "expected.safetensors")
    print(name, sum(file.stat().st_size for file in folder.iterdir()))


def show(base, adapter):
    model = PeftModel.from_pretrained(base_of(base), adapter).eval()
    ids = torch.arange(3, 10)[None]
    with torch.no_grad():
        print(json.dumps(model(input_ids=ids).logits.reshape(-1).tolist()))


def main():
    warnings.filterwarnings("ignore")
    if len(sys.argv) == 3:
        return show(*sys.argv[1:])
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, (name, options) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        write(name, options)


if __name__ == "__main__":
    main()
