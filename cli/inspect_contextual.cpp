// `lmzoo inspect RUN --contextual WORD`: one word in several sentences.
#include "cli/query_flags.h"
#include "infer/vectors/contextual.h"
#include "io/files.h"

namespace lmzoo {

int inspect_contextual(const Flags& flags) {
  set_up_cpu(0);
  const Registry registry = make_registry();
  const LoadedRun run = load_run(flags.text("CONFIG"), registry);
  std::optional<int64_t> layer;
  if (flags.has("layer")) {
    layer = flags.integer("layer", 0, at_least(0));
  }
  const Contextual points =
      contextual_points(run, flags.text("contextual"), without_blanks(prompts_of(flags)), layer);
  if (flags.has("html")) {
    write_atomically(flags.text("html"), to_html(points));
    return 0;
  }
  flags.has("json") ? print(to_json(points)) : print(to_text(points));
  return 0;
}

}  // namespace lmzoo
