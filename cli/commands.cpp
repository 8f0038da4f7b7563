// The table of command.h.
#include "cli/command.h"

namespace lmzoo {

int run_plan(const Command& self, const Strings& arguments);
int run_train(const Command& self, const Strings& arguments);
int run_eval(const Command& self, const Strings& arguments);
int run_inspect(const Command& self, const Strings& arguments);
int run_tokenizer(const Command& self, const Strings& arguments);
int run_generate(const Command& self, const Strings& arguments);
int run_fill_mask(const Command& self, const Strings& arguments);
int run_infill(const Command& self, const Strings& arguments);
int run_classify(const Command& self, const Strings& arguments);
int run_forward(const Command& self, const Strings& arguments);
int run_report(const Command& self, const Strings& arguments);
int run_list(const Command& self, const Strings& arguments);
int run_schema(const Command& self, const Strings& arguments);
int run_bench(const Command& self, const Strings& arguments);

std::span<const Command> commands() {
  static constexpr Command kCommands[] = {
      {"plan",
       "CONFIG [--set a.b=v ...] [--no-data] [--json]",
       "check a configuration and print sizes, work, memory and lengths; nothing is trained or written",
       "lmzoo plan configs/debug/bert.yaml --set model.layers=4",
       run_plan},
      {"train",
       "CONFIG [--set a.b=v ...] [--out DIR] [--resume]",
       "train a configuration to its end, or go on where it was interrupted",
       "lmzoo train configs/debug/bert.yaml --out runs/first --resume",
       run_train},
      {"eval",
       "RUN [--split NAME | --data FILE] [--task NAME] [--json]",
       "evaluate a run: loss, perplexity, bits per byte and what its task measures",
       "lmzoo eval runs/debug-bert --data configs/debug/data/valid.txt",
       run_eval},
      {"inspect",
       "CONFIG [-n 3] [--set a.b=v ...] [--html FILE] [--json]",
       "show real examples as the model gets them: text, ids, inputs, labels",
       "lmzoo inspect configs/debug/t5.yaml -n 2",
       run_inspect},
      {"tokenizer",
       "train|encode|decode ...",
       "train a configuration's tokenizer; turn text into ids and ids into text",
       "lmzoo tokenizer encode configs/debug/gpt.yaml --text \"the old owl\"",
       run_tokenizer},
      {"generate",
       "RUN [--prompt TEXT | --file FILE] [--temperature T] [--top-k K] [--top-p P] [--json]",
       "continue texts, token by token",
       "lmzoo generate runs/gpt --prompt \"the old owl\" --temperature 0.7",
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
       "classes of texts by a run that was trained to classify",
       "lmzoo classify runs/debug-classify --text \"the owl runs after the fox\"",
       run_classify},
      {"forward",
       "RUN --input FILE.jsonl --out FILE.safetensors [--hidden] [--attention]",
       "logits, hidden states and attention of given ids or texts",
       "lmzoo forward runs/bert --input ids.jsonl --out logits.safetensors --hidden",
       run_forward},
      {"report",
       "RUN... [--out FILE.html] [--results FILE.json] [--json]",
       "one self-contained page with curves, tables and samples",
       "lmzoo report runs/bert runs/gpt --out report.html",
       run_report},
      {"list",
       "[models|objectives|presets|commands] [--json]",
       "what can be written in a YAML",
       "lmzoo list models",
       run_list},
      {"schema",
       "[--out FILE]",
       "JSON Schema of a configuration, for editors",
       "lmzoo schema --out lmzoo.schema.json",
       run_schema},
      {"bench",
       "step CONFIG | machine | loader CONFIG | tokenizer CONFIG [--json]",
       "measure whole training steps, the machine, or the data pipeline",
       "lmzoo bench step configs/debug/bert.yaml",
       run_bench},
  };
  return kCommands;
}

}  // namespace lmzoo
