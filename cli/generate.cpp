// `lmzoo generate`: continues texts.
#include <cstdio>

#include "cli/query_flags.h"
#include "infer/decode/run_prompt.h"

namespace lmzoo {
int run_generate(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_query_flags(flags);
  add_prompt_flags(flags);
  flags.former_name("prompt", "text");
  add_sampling_flags(flags);
  flags.value("steps", "N", "of a masked_diffusion run: passes in which all tokens are filled in");
  flags.toggle("no-cache", "recompute every position of every token; slow, for comparison");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const LoadedRun run = load_query_run(flags, registry);
  const Strings prompts = prompts_of(flags);
  GenerateOptions options = text_only(run);
  options.max_tokens = flags.integer("max-tokens", 64, at_least(1));
  options.sampling = sampling_of(flags);
  if (flags.has("steps")) {
    options.steps = flags.integer("steps", 1, at_least(1));
  }
  options.cache = !flags.has("no-cache");
  Json all = Json::array();
  const auto show = [&](size_t i, const Continuation& made) {
    if (!flags.has("json")) {
      print_exactly(made.text + "\n");
    }
    all.push_back({{"prompt", prompts[i]}, {"text", made.text}, {"ids", made.ids}});
  };
  continue_texts(run,
                 prompts,
                 options,
                 {.stream = [&](size_t i) { return sampling_stream(flags, i); },
                  .result = show,
                  .note = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }});
  if (flags.has("json")) {
    print_answers(flags, all);
  }
  return 0;
}

}  // namespace lmzoo
