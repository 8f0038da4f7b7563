// `lmzoo generate`: continues texts.
#include <iostream>

#include "cli/query_flags.h"
#include "infer/decode/run_prompt.h"

namespace lmzoo {
int run_generate(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_query_flags(flags);
  flags.value("prompt", "TEXT", "the text to continue; default: the lines of --file or of standard input");
  flags.value("file", "FILE", "a file with a prompt a line");
  add_sampling_flags(flags);
  flags.toggle("no-cache", "recompute every position of every token; slow, for comparison");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const LoadedRun run = load_query_run(flags, registry);
  const Strings prompts = read_prompts(flags.text("prompt"), flags.text("file"), std::cin);
  GenerateOptions options = text_only(run);
  options.max_tokens = flags.integer("max-tokens", 64, at_least(1));
  options.sampling = sampling_of(flags);
  options.cache = !flags.has("no-cache");
  Json all = Json::array();
  const auto show = [&](size_t i, const Continuation& made) {
    if (!flags.has("json")) {
      print_exactly(made.text + "\n");
    }
    all.push_back({{"prompt", prompts[i]}, {"text", made.text}, {"ids", made.ids}});
  };
  continue_texts(
      run, prompts, options, {.stream = [&](size_t i) { return sampling_stream(flags, i); }, .result = show});
  if (flags.has("json")) {
    print(all.size() == 1 ? all[0] : all);
  }
  return 0;
}

}  // namespace lmzoo
