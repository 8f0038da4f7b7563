"""Writes tests/golden/huggingface/CASE/: tiny random checkpoints of Hugging Face transformers and what they compute.

    pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0
    python tests/golden/huggingface.py

Each folder is what save_pretrained writes, config.json and model.safetensors (float32), and expected.safetensors:
    ids, lengths [, token_types] [, decoder_ids, decoder_lengths]   int64, sequences packed one after the other
    labels               int64: a label for every position, a class for every sequence, or one of the sequences
    values               instead of labels: a number for every sequence, 0 and 1 for every class of it, or (of a
                         discriminator) for every position
    logits               of every position ([begin, end] of an answer), of every sequence, or [1, sequences]
    gradient.NAME        of the mean of -log p(label), or of transformers' loss of the values; NAME as in the checkpoint
    pair_logits          of BertForPreTraining: [sequences, 2], of the second segment being next or not
    pooled               models without a head: the mean of each sequence's last states, of length 1
computed in float64 from the float32 weights, one sequence at a time, and stored as float32.

bert_lm_old holds the weights of bert_lm as the first checkpoints of BERT did: pytorch_model.bin, other names.
"""
import json
import pathlib
import shutil

import torch
import transformers as hf
from safetensors.torch import load_file, save_file

OUT = pathlib.Path(__file__).parent / "huggingface"
VOCABULARY, WIDTH, HEADS, LAYERS, LENGTHS, TARGET_LENGTHS = 61, 16, 4, 2, (7, 4), (3, 5)
BERT = dict(vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
            intermediate_size=24, max_position_embeddings=14, attn_implementation="eager")
DISTIL = dict(vocab_size=VOCABULARY, dim=WIDTH, n_layers=LAYERS, n_heads=HEADS, hidden_dim=24,
              max_position_embeddings=12, attn_implementation="eager")
GPT = dict(vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_positions=12, bos_token_id=1,
           eos_token_id=1, attn_implementation="eager")
LLAMA = dict(vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
             num_key_value_heads=2, intermediate_size=24, max_position_embeddings=32, attn_implementation="eager")
ELECTRA = BERT | dict(embedding_size=12)
T5 = dict(vocab_size=VOCABULARY, d_model=WIDTH, d_kv=6, d_ff=24, num_layers=LAYERS, num_decoder_layers=1, num_heads=HEADS,
          relative_attention_num_buckets=8, relative_attention_max_distance=6, decoder_start_token_id=0,
          attn_implementation="eager")
LLAMA3_ROPE = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                   original_max_position_embeddings=16)
CASES = {
    "bert_lm": lambda: hf.BertForMaskedLM(hf.BertConfig(**BERT)),
    "bert_pretraining": lambda: hf.BertForPreTraining(hf.BertConfig(**BERT, hidden_act="gelu_new")),
    "bert_body": lambda: hf.BertModel(hf.BertConfig(**BERT)),
    "bert_classifier": lambda: hf.BertForSequenceClassification(hf.BertConfig(**BERT, id2label={0: "no", 1: "maybe", 2: "yes"})),
    "roberta_lm": lambda: hf.RobertaForMaskedLM(hf.RobertaConfig(**BERT, type_vocab_size=1, layer_norm_eps=1e-5)),
    "roberta_classifier": lambda: hf.RobertaForSequenceClassification(hf.RobertaConfig(**BERT, type_vocab_size=1)),
    "distilbert_lm": lambda: hf.DistilBertForMaskedLM(hf.DistilBertConfig(**DISTIL)),
    "distilbert_classifier": lambda: hf.DistilBertForSequenceClassification(hf.DistilBertConfig(**DISTIL)),
    "gpt1_lm": lambda: hf.OpenAIGPTLMHeadModel(hf.OpenAIGPTConfig(**GPT)),
    "gpt2_lm": lambda: hf.GPT2LMHeadModel(hf.GPT2Config(**GPT, n_inner=24)),
    "gpt2_classifier": lambda: hf.GPT2ForSequenceClassification(hf.GPT2Config(**GPT, n_inner=24, scale_attn_weights=False)),
    "llama_lm": lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**LLAMA)),
    "llama_scaled": lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**LLAMA, tie_word_embeddings=True, attention_bias=True,
                                                               head_dim=6, rope_parameters=LLAMA3_ROPE)),
    "llama_linear": lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**LLAMA, rope_parameters=dict(
        rope_type="linear", rope_theta=500.0, factor=2.0))),
    "t5_lm": lambda: hf.T5ForConditionalGeneration(hf.T5Config(**T5)),
    "t5_v1_1": lambda: untied(hf.T5ForConditionalGeneration(hf.T5Config(**T5, feed_forward_proj="gated-gelu",
                                                                        tie_word_embeddings=False))),
    "bert_tags": lambda: hf.BertForTokenClassification(hf.BertConfig(**BERT, id2label={0: "O", 1: "B-PER", 2: "I-PER"})),
    "bert_answers": lambda: hf.BertForQuestionAnswering(hf.BertConfig(**BERT)),
    "bert_choices": lambda: hf.BertForMultipleChoice(hf.BertConfig(**BERT)),
    "bert_number": lambda: hf.BertForSequenceClassification(hf.BertConfig(**BERT, num_labels=1, problem_type="regression")),
    "bert_flags": lambda: hf.BertForSequenceClassification(hf.BertConfig(**BERT, num_labels=4,
                                                                         problem_type="multi_label_classification")),
    "roberta_tags": lambda: hf.RobertaForTokenClassification(hf.RobertaConfig(**BERT, type_vocab_size=1, num_labels=3)),
    "roberta_choices": lambda: hf.RobertaForMultipleChoice(hf.RobertaConfig(**BERT, type_vocab_size=1)),
    "distilbert_answers": lambda: hf.DistilBertForQuestionAnswering(hf.DistilBertConfig(**DISTIL)),
    "distilbert_choices": lambda: hf.DistilBertForMultipleChoice(hf.DistilBertConfig(**DISTIL)),
    "electra_lm": lambda: hf.ElectraForMaskedLM(hf.ElectraConfig(**ELECTRA)),
    "electra_discriminator": lambda: hf.ElectraForPreTraining(hf.ElectraConfig(**ELECTRA)),
    "electra_classifier": lambda: hf.ElectraForSequenceClassification(hf.ElectraConfig(**ELECTRA)),
    "electra_tags": lambda: hf.ElectraForTokenClassification(hf.ElectraConfig(**ELECTRA, num_labels=3)),
}


def untied(model):
    """Version 1.1 has a projection of its own; transformers 5 ties a fresh one all the same."""
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    model.all_tied_weights_keys = {key: value for key, value in model.all_tied_weights_keys.items() if key != "lm_head.weight"}
    return model


def randomize(model):
    """Weights large enough that every part changes the logits; gains of norms near 1. Exact in float32."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape)
        is_gain = parameter.dim() == 1 and name.endswith("weight")
        parameter.data = 1 + 0.2 * noise if is_gain else 0.3 * noise


def inputs_of(name, first):
    """Sequences of ids from `first` on: the embedding of padding gets no gradient in transformers."""
    sequences = [{"input_ids": torch.randint(first, VOCABULARY, (1, n))} for n in LENGTHS]
    if name.startswith(("bert", "electra")):
        for sequence in sequences:
            sequence["token_type_ids"] = torch.randint(0, 2, sequence["input_ids"].shape)
    if name.startswith("t5"):
        for sequence, n in zip(sequences, TARGET_LENGTHS):
            sequence["decoder_input_ids"] = torch.randint(first, VOCABULARY, (1, n))
    return sequences


def packed(sequences, key):
    return torch.cat([sequence[key][0] for sequence in sequences])


def read(name, model, sequence):
    """Logits [rows, outputs] of one sequence."""
    if name.endswith("choices"):  # [examples, choices, positions]
        return model(**{key: ids[None] for key, ids in sequence.items()}).logits
    output = model(**sequence)
    if name.endswith("answers"):
        return torch.stack((output.start_logits[0], output.end_logits[0]), -1)
    logits = output["prediction_logits" if name == "bert_pretraining" else "logits"]
    if name.endswith("discriminator"):
        return logits.reshape(-1, 1)
    return logits.reshape(-1, logits.shape[-1])


def loss_of(problem, logits, expected):
    """Draws what is to be predicted into `expected`."""
    if problem == "regression":
        expected["values"] = torch.randn(logits.shape)
        return torch.nn.functional.mse_loss(logits, expected["values"].double())
    if problem == "multi_label_classification" or logits.shape[1] == 1:
        expected["values"] = torch.randint(0, 2, logits.shape).float()
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, expected["values"].double())
    expected["labels"] = torch.randint(3 if logits.shape[1] == VOCABULARY else 0, logits.shape[1], (len(logits),))
    return torch.nn.functional.cross_entropy(logits, expected["labels"])


def write(name, make, folder):
    model = make().eval()
    randomize(model)
    model.save_pretrained(folder)
    model.double()
    sequences = inputs_of(name, first=3)
    expected = {"ids": packed(sequences, "input_ids"), "lengths": torch.tensor(LENGTHS)}
    if name.startswith(("bert", "electra")):
        expected["token_types"] = packed(sequences, "token_type_ids")
    if name.startswith("t5"):
        expected |= {"decoder_ids": packed(sequences, "decoder_input_ids"), "decoder_lengths": torch.tensor(TARGET_LENGTHS)}
    if name.endswith("body"):
        means = torch.stack([model(**sequence).last_hidden_state[0].mean(0) for sequence in sequences])
        expected["pooled"] = torch.nn.functional.normalize(means)
    else:
        logits = torch.cat([read(name, model, sequence) for sequence in sequences])
        logits = logits.T if name.endswith("choices") else logits  # the sequences are the choices of one example
        expected["logits"] = logits
        if name == "bert_pretraining":
            expected["pair_logits"] = torch.cat([model(**sequence).seq_relationship_logits for sequence in sequences])
        loss_of(model.config.problem_type, logits, expected).backward()
        stored = load_file(folder / "model.safetensors")
        for parameter_name, parameter in model.named_parameters():
            if parameter.grad is not None and parameter_name in stored:
                expected["gradient." + parameter_name] = parameter.grad
    narrow = {key: value.detach().float() if value.is_floating_point() else value for key, value in expected.items()}
    save_file({key: value.contiguous() for key, value in narrow.items()}, folder / "expected.safetensors")


def write_old(source, folder):
    """As transformers saved it before 2020: beta and gamma, the tied projection once more, a buffer of positions."""
    folder.mkdir()
    shutil.copy(source / "config.json", folder)
    weights = load_file(source / "model.safetensors")
    old = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
           for name, tensor in weights.items()}
    old["bert.embeddings.position_ids"] = torch.arange(BERT["max_position_embeddings"]).expand((1, -1))
    old["cls.predictions.decoder.weight"] = old["bert.embeddings.word_embeddings.weight"]
    torch.save(old, folder / "pytorch_model.bin")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, (name, make) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        write(name, make, OUT / name)
        (OUT / name / "generation_config.json").unlink(missing_ok=True)
        config = json.loads((OUT / name / "config.json").read_text())
        print(name, config["architectures"][0], sum(file.stat().st_size for file in (OUT / name).iterdir()))
    write_old(OUT / "bert_lm", OUT / "bert_lm_old")


if __name__ == "__main__":
    main()
