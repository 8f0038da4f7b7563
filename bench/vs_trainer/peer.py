"""The peer of bench/vs_trainer: Hugging Face's Trainer on one of the two tasks.

    peer.py TASK --model FOLDER --data FOLDER [--seed N] [--epochs E | --steps K] [--precision fp32|bf16] [--random] [--tuned]

As its users run it: every sentence padded to 128 positions. Tuned: padded to the longest of its batch, batches of similar
lengths, denormals flushed (run.py preloads tcmalloc and oneMKL's AVX-512 switch). The fused AdamW is the library's default
in both. Prints one JSON line: sentences per second of the training loop by the Trainer's own clock, and, after whole
epochs, the score on the development set.
"""
import argparse
import json
import pathlib
import resource
import tempfile

import torch
import transformers

import tasks


class Sentences(torch.utils.data.Dataset):
    def __init__(self, task, split, folder, tokenizer, pad_to_128):
        texts, self.labels = tasks.read(task, split, folder)
        padding = "max_length" if pad_to_128 else False
        self.encoded = tokenizer(texts, truncation=True, max_length=tasks.MAX_LENGTH, padding=padding)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return {**{key: values[i] for key, values in self.encoded.items()}, "labels": self.labels[i]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=sorted(tasks.TASKS))
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=float, default=tasks.EPOCHS)
    parser.add_argument("--steps", type=int, default=-1, help="so many steps and no evaluation")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--random", action="store_true", help="the same model from random weights")
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--score-only", action="store_true", help="score --model, a fine-tuned folder, without training")
    args = parser.parse_args()

    torch.set_num_threads(2)
    if args.tuned:
        torch.set_flush_denormal(True)
    transformers.set_seed(args.seed)
    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
    if args.random:
        config = transformers.AutoConfig.from_pretrained(args.model, num_labels=2)
        model = transformers.AutoModelForSequenceClassification.from_config(config)
    else:
        model = transformers.AutoModelForSequenceClassification.from_pretrained(args.model, num_labels=2)

    arguments = transformers.TrainingArguments(
        output_dir=tempfile.mkdtemp(), num_train_epochs=args.epochs, max_steps=args.steps, seed=args.seed,
        per_device_train_batch_size=tasks.BATCH, per_device_eval_batch_size=64, learning_rate=tasks.LEARNING_RATE,
        weight_decay=tasks.WEIGHT_DECAY, warmup_steps=tasks.WARMUP_STEPS, lr_scheduler_type="linear",
        bf16=args.precision == "bf16", use_cpu=True, save_strategy="no", report_to=[], disable_tqdm=True, logging_steps=10**6,
        train_sampling_strategy="group_by_length" if args.tuned else "random")
    scores = {}
    trainer = transformers.Trainer(
        model=model, args=arguments, processing_class=tokenizer,
        train_dataset=Sentences(args.task, "train", args.data, tokenizer, pad_to_128=not args.tuned),
        eval_dataset=Sentences(args.task, "dev", args.data, tokenizer, pad_to_128=not args.tuned),
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
        compute_metrics=lambda output: tasks.score(output.predictions.argmax(-1).tolist(), output.label_ids.tolist()))
    answer = {}
    if not args.score_only:
        answer["sentences_per_s"] = trainer.train().metrics["train_samples_per_second"]
    if args.steps < 0:
        scores = trainer.evaluate()
        answer.update({name[len("eval_"):]: scores[name] for name in ("eval_accuracy", "eval_matthews_correlation", "eval_loss")})
    answer["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
