"""The two tasks of bench/vs_trainer and the recipe that both sides use; configs/finetune/*_minilm.yaml say the same."""
import math

# File name pattern, column of the sentence, column of the label (from 0), the score by which the task is known.
TASKS = {"sst2": ("sst2.{}.tsv", 0, 1, "accuracy"), "cola": ("cola.{}.tsv", 3, 1, "matthews_correlation")}
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, WARMUP_STEPS, MAX_LENGTH = 2, 32, 1e-4, 0.01, 50, 128


def read(task, split, folder):
    pattern, text, label, _ = TASKS[task]
    rows = [line.split("\t") for line in (folder / pattern.format(split)).read_text(encoding="utf-8").split("\n") if line]
    return [row[text] for row in rows], [int(row[label]) for row in rows]


def score(predictions, labels):
    pairs = list(zip(predictions, labels))
    tp, tn, fp, fn = (pairs.count(kind) for kind in ((1, 1), (0, 0), (1, 0), (0, 1)))
    spread = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return {"accuracy": (tp + tn) / len(pairs), "matthews_correlation": (tp * tn - fp * fn) / spread if spread else 0.0}
