// The table of command.h.
#include "cli/command.h"

namespace lmzoo {

int run_plan(const Command& self, const Strings& arguments);
int run_train(const Command& self, const Strings& arguments);
int run_eval(const Command& self, const Strings& arguments);
int run_sweep(const Command& self, const Strings& arguments);
int run_compare(const Command& self, const Strings& arguments);
int run_inspect(const Command& self, const Strings& arguments);
int run_tokenizer(const Command& self, const Strings& arguments);
int run_generate(const Command& self, const Strings& arguments);
int run_fill_mask(const Command& self, const Strings& arguments);
int run_infill(const Command& self, const Strings& arguments);
int run_classify(const Command& self, const Strings& arguments);
int run_tag(const Command& self, const Strings& arguments);
int run_answer(const Command& self, const Strings& arguments);
int run_neighbors(const Command& self, const Strings& arguments);
int run_analogy(const Command& self, const Strings& arguments);
int run_similarity(const Command& self, const Strings& arguments);
int run_embed(const Command& self, const Strings& arguments);
int run_forward(const Command& self, const Strings& arguments);
int run_import(const Command& self, const Strings& arguments);
int run_export(const Command& self, const Strings& arguments);
int run_report(const Command& self, const Strings& arguments);
int run_list(const Command& self, const Strings& arguments);
int run_schema(const Command& self, const Strings& arguments);
int run_doctor(const Command& self, const Strings& arguments);
int run_bench(const Command& self, const Strings& arguments);

namespace {

constexpr Command kMaking[] = {
    {"plan",
     "CONFIG [--set a.b=v ...] [--no-data] [--json]",
     "check a configuration and print sizes, work, memory and lengths; nothing is trained or written",
     "lmzoo plan configs/debug/bert.yaml --set model.layers=4",
     run_plan},
    {"train",
     "CONFIG [--set a.b=v ...] [--out DIR] [--resume | --extend STEPS]",
     "train a configuration to its end, or go on where it was interrupted",
     "lmzoo train configs/debug/bert.yaml --out runs/first --resume",
     run_train},
    {"eval",
     "RUN [--split NAME | --data FILE] [--task NAME] [--json]",
     "evaluate a run: loss, perplexity, bits per byte and what its task measures",
     "lmzoo eval runs/debug-bert --data configs/debug/data/valid.txt",
     run_eval},
    {"sweep",
     "CONFIG --out DIR [--seeds 1,2,3] [--grid KEY=V1,V2 ...] [--set a.b=v ...] [--json]",
     "train a configuration with several seeds, and on a grid: means and deviations of every metric",
     "lmzoo sweep configs/debug/classify.yaml --seeds 1-3 --grid optimizer.lr=1e-3,5e-3 --out runs/sweep",
     run_sweep},
    {"compare",
     "RUN_A RUN_B [--split NAME | --data FILE] [--metric NAME ...] [--json]",
     "is one run better than another on the same examples, or was it luck? Paired bootstrap and "
     "randomization",
     "lmzoo compare runs/sweep/optimizer.lr=1e-3/seed-1 runs/sweep/optimizer.lr=5e-3/seed-1",
     run_compare},
    {"inspect",
     "CONFIG [-n 3] [--set a.b=v ...] [--html FILE] [--json] | RUN --contextual WORD [--file FILE] "
     "[--layer L]",
     "show real examples as the model gets them: text, ids, inputs, labels; or one word in several "
     "contexts",
     "lmzoo inspect configs/debug/t5.yaml -n 2",
     run_inspect},
    {"tokenizer",
     "train|encode|decode ...",
     "train a configuration's tokenizer; turn text into ids and ids into text",
     "lmzoo tokenizer encode configs/debug/gpt.yaml --text \"the old owl\"",
     run_tokenizer},
};

constexpr Command kAsking[] = {
    {"generate",
     "RUN [--text TEXT | --file FILE] [--temperature T] [--top-k K] [--top-p P] [--json]",
     "continue texts, token by token",
     "lmzoo generate runs/gpt --text \"the old owl\" --temperature 0.7",
     run_generate},
    {"fill-mask",
     "RUN [--text TEXT | --file FILE] [--top 5] [--json]",
     "the most probable tokens at [MASK]",
     "lmzoo fill-mask runs/bert --text \"the old [MASK] sleeps\"",
     run_fill_mask},
    {"infill",
     "RUN [--text TEXT | --file FILE] [--temperature T] [--json]",
     "fill the sentinels of a text",
     "lmzoo infill runs/t5 --text \"the <extra_id_0> sleeps\" --temperature 0",
     run_infill},
    {"classify",
     "RUN [--text TEXT | --file FILE] [--top 3] [--json]",
     "classes of texts or pairs by a run that was trained to classify; a number, or the right choice",
     "lmzoo classify runs/debug-classify --text \"the owl runs after the fox\"",
     run_classify},
    {"tag",
     "RUN [--text TEXT | --file FILE] [--json]",
     "a class for each word by a run that was trained to tag",
     "lmzoo tag runs/debug-tags --text \"Ada wrote to London\"",
     run_tag},
    {"answer",
     "RUN [--question TEXT --passage TEXT | --file FILE] [--top 3] [--json]",
     "answers to questions as parts of passages",
     "lmzoo answer runs/debug-answers --question \"who sleeps?\" --passage \"the old owl sleeps\"",
     run_answer},
    {"neighbors",
     "RUN [WORD...] [--top 10] [--candidates N] [--layer L] [--json]",
     "the words nearest to a word or to a sum of words; RUN may be a file of word vectors",
     "lmzoo neighbors runs/word2vec owl \"king - man + woman\"",
     run_neighbors},
    {"analogy",
     "RUN [QUESTIONS | --text \"A B C\"] [--method add|mul] [--candidates N] [--layer L] [--json]",
     "a is to b as c is to what? A file of questions is scored by section",
     "lmzoo analogy runs/word2vec questions-words.txt --method mul --candidates 30000",
     run_analogy},
    {"similarity",
     "RUN [PAIRS... | --text \"A B\"] [--candidates N] [--layer L] [--json]",
     "cosines of word pairs; files with people's scores: Spearman, Pearson, coverage",
     "lmzoo similarity runs/word2vec wordsim353.tsv",
     run_similarity},
    {"embed",
     "RUN [--text TEXT | --file FILE | --all] [--layer L] [--pool mean] [--normalize] [--out FILE] "
     "[--json]",
     "vectors of texts or of all words, printed or as a file of word vectors or safetensors",
     "lmzoo embed runs/word2vec --all --out vectors.bin",
     run_embed},
    {"forward",
     "RUN --input FILE.jsonl --out FILE.safetensors [--hidden] [--attention]",
     "logits, hidden states and attention of given ids or texts",
     "lmzoo forward runs/bert --input ids.jsonl --out logits.safetensors --hidden",
     run_forward},
};

constexpr Command kExchanging[] = {
    {"import",
     "HF_DIR RUN [--json]",
     "make a run of a published checkpoint, with an account of every key",
     "lmzoo import checkpoints/minilm runs/minilm",
     run_import},
    {"export",
     "RUN HF_DIR [--family NAME] [--architecture CLASS] [--json]",
     "write a run as a folder that Hugging Face transformers loads",
     "lmzoo export runs/bert exported/bert",
     run_export},
};

constexpr Command kTelling[] = {
    {"report",
     "RUN... [--out FILE.html] [--results FILE.json] [--contextual WORD --file FILE] [--json]",
     "one self-contained page with curves, tables and samples",
     "lmzoo report runs/bert runs/gpt --out report.html",
     run_report},
    {"list",
     "[models|objectives|optimizers|presets|commands] [--json]",
     "what can be written in a YAML",
     "lmzoo list models",
     run_list},
    {"schema",
     "[--out FILE]",
     "JSON Schema of a configuration, for editors",
     "lmzoo schema --out lmzoo.schema.json",
     run_schema},
    {"doctor",
     "RUN|STORE [--json]",
     "read every file of a run, or a token store, against its checksums",
     "lmzoo doctor runs/debug-bert",
     run_doctor},
    {"bench",
     "step CONFIG | machine | loader CONFIG | tokenizer CONFIG [--json]",
     "measure whole training steps, the machine, or the data pipeline",
     "lmzoo bench step configs/debug/bert.yaml",
     run_bench},
};

}  // namespace

std::span<const Command> commands() {
  static const std::vector<Command> all = [] {
    std::vector<Command> list;
    for (const std::span<const Command> group : {std::span<const Command>(kMaking),
                                                 std::span<const Command>(kAsking),
                                                 std::span<const Command>(kExchanging),
                                                 std::span<const Command>(kTelling)}) {
      list.insert(list.end(), group.begin(), group.end());
    }
    return list;
  }();
  return all;
}

}  // namespace lmzoo
