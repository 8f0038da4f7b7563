// `lmzoo infill`: what a run writes for the gaps <extra_id_0>, <extra_id_1>, ... of a text.
#include "infer/ask/infill.h"

#include "cli/query_flags.h"
#include "infer/decode/run_prompt.h"

namespace lmzoo {

int run_infill(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_query_flags(flags);
  add_prompt_flags(flags);
  add_sampling_flags(flags);
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const LoadedRun run = load_query_run(flags, registry);
  GenerateOptions options;
  options.max_tokens = flags.integer("max-tokens", 64, at_least(1));
  options.sampling = sampling_of(flags);
  options.stop = ends_of(run.parts);
  Json all = Json::array();
  uint64_t index = 0;
  for (const std::string& text : prompts_of(flags)) {
    Stream stream = sampling_stream(flags, index++);
    Infilling filled;  // of a blank line: nothing
    if (!text.empty()) {
      filled = infill(run, text, options, stream);
    }
    if (!flags.has("json")) {
      print_exactly(filled.text + "\n");
    }
    all.push_back({{"prompt", text},
                   {"text", filled.text},
                   {"spans", filled.spans},
                   {"target", run.tokenizer->decode(filled.target, Specials::show)}});
  }
  if (flags.has("json")) {
    print_answers(flags, all);
  }
  return 0;
}

}  // namespace lmzoo
