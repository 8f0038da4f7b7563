// `lmzoo import`: a published checkpoint becomes a run.
#include "cli/flags.h"
#include "core/cpu_setup.h"
#include "train/run/published.h"

namespace lmzoo {

int run_import(const Command& self, const Strings& arguments) {
  Flags flags(self);
  flags.positional("HF_DIR", "a folder of Hugging Face's: config.json, weights and, for texts, a tokenizer");
  flags.positional("RUN", "the run folder to write; it must not exist");
  flags.value("adapter", "PEFT_DIR", "a LoRA adapter to merge into the weights");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  set_up_cpu(0);
  const Registry registry = make_registry();
  const KeyAccount account =
      import_folder(flags.text("HF_DIR"), flags.text("RUN"), registry, flags.text("adapter"));
  flags.has("json") ? print(Json{{"run", flags.text("RUN")}, {"keys", to_json(account)}})
                    : print(to_text(account));
  return 0;
}

}  // namespace lmzoo
