// `lmzoo export`: a run becomes a folder that transformers loads.
#include "train/exchange/huggingface/export.h"

#include "base/check.h"
#include "cli/flags.h"
#include "core/cpu_setup.h"
#include "train/exchange/huggingface/peft.h"
#include "train/run/assemble.h"

namespace lmzoo {

int run_export(const Command& self, const Strings& arguments) {
  Flags flags(self);
  flags.positional("RUN", "a run folder, a checkpoint folder or a Hugging Face folder");
  flags.positional("HF_DIR", "the folder to write; it must not exist");
  flags.value("family", "NAME", "bert, roberta, gpt2, ...; default: the one that the model's options mean");
  flags.value(
      "architecture", "CLASS", "class of transformers, as BertModel; default: the one with the run's head");
  flags.value("model",
              "NAME",
              "one that the objective trains beside the run's own, as generator of replaced_token_detection");
  flags.toggle("adapter",
               "write the run's low-rank additions alone, in the PEFT library's format; default: merged");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  set_up_cpu(0);
  const Registry registry = make_registry();
  const LoadedRun run = load_run(flags.text("RUN"), registry, "cpu");
  if (flags.has("adapter")) {
    const AdapterAccount adapter = export_adapter(portable(run), flags.text("HF_DIR"), flags.text("family"));
    const Json json{{"out", flags.text("HF_DIR")}, {"maps", adapter.maps}, {"head", adapter.head}};
    flags.has("json") ? print(json)
                      : print(fmt::format("{}: {} adapted maps, {} tensors of the head\n",
                                          flags.text("HF_DIR"),
                                          adapter.maps.size(),
                                          adapter.head.size()));
    return 0;
  }
  const KeyAccount account =
      export_folder(flags.has("model") ? portable_further(run, flags.text("model")) : portable(run),
                    flags.text("HF_DIR"),
                    {.family = flags.text("family"), .architecture = flags.text("architecture")});
  flags.has("json") ? print(Json{{"out", flags.text("HF_DIR")}, {"keys", to_json(account)}})
                    : print(to_text(account));
  return 0;
}

}  // namespace lmzoo
