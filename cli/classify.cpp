// `lmzoo classify`: classes of texts by a fine-tuned run.
#include "infer/classify.h"

#include "cli/query_flags.h"

namespace lmzoo {

int run_classify(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_query_flags(flags);
  add_prompt_flags(flags);
  flags.value("top", "N", "so many classes of each text; default 3");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const LoadedRun run = load_query_run(flags, registry);
  const auto top = static_cast<size_t>(flags.integer("top", 3, at_least(1)));
  Json all = Json::array();
  std::string lines;
  for (const Classification& result :
       classify(*run.parts.model, *run.parts.objective, *run.tokenizer, prompts_of(flags))) {
    Json best = Json::array();
    for (size_t i = 0; i < std::min(top, result.classes.size()); ++i) {
      const auto& [name, probability] = result.classes[i];
      best.push_back({{"class", name}, {"probability", probability}});
      char number[16];
      std::snprintf(number, sizeof number, "%.3f", probability);
      lines += (i == 0 ? "" : "  ") + name + " " + number;
    }
    lines += "  " + result.text + "\n";
    all.push_back({{"text", result.text}, {"classes", best}});
  }
  flags.has("json") ? print(all) : print(lines);
  return 0;
}

}  // namespace lmzoo
