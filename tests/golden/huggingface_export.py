"""Loads exported folders in Hugging Face transformers: no missing, unexpected or mismatched key, and the same logits.

    python tests/golden/huggingface_export.py ORIGINAL EXPORTED [ORIGINAL EXPORTED ...]

ORIGINAL is a checkpoint that lmzoo imported, EXPORTED what it wrote. Prints a line a pair; exits with 1 on the first that
differs. `EXPORTED` alone is checked when ORIGINAL is "-".
"""
import json
import pathlib
import sys

import torch
import transformers


def load(folder):
    name = json.loads((pathlib.Path(folder) / "config.json").read_text())["architectures"][0]
    model, info = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    return model.eval(), {key: sorted(map(str, value)) for key, value in info.items() if value}


def outputs(model):
    torch.manual_seed(0)
    ids = torch.randint(3, model.config.vocab_size, (2, 6))
    inputs = {"input_ids": ids[None] if type(model).__name__.endswith("MultipleChoice") else ids}
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = ids.flip(1)
    if model.config.pad_token_id is None:  # classifiers over decoders need it to find the last token
        model.config.pad_token_id = 0
    with torch.no_grad():
        output = model(**inputs)
    if "start_logits" in output:
        return torch.stack((output.start_logits, output.end_logits), -1)
    key = next(key for key in ("logits", "prediction_logits", "last_hidden_state") if key in output)
    return output[key]


def main():
    transformers.logging.set_verbosity_error()
    for original, exported in zip(sys.argv[1::2], sys.argv[2::2]):
        model, info = load(exported)
        if info:
            sys.exit(f"{exported}: {info}")
        if original != "-":
            before, after = outputs(load(original)[0]), outputs(model)
            if before.shape == after.shape and not torch.equal(before, after):
                sys.exit(f"{exported}: other logits than {original}: {(before - after).abs().max()}")
        print(f"{exported}: {type(model).__name__} is as it was", flush=True)


if __name__ == "__main__":
    main()
