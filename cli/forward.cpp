// `lmzoo forward`: logits, hidden states and attention as safetensors.
#include "infer/ask/forward.h"

#include "cli/query_flags.h"
#include "core/tensor_file.h"

namespace lmzoo {

int run_forward(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_query_flags(flags);
  flags.value("input", "FILE", "JSON lines: {\"ids\": [...], \"decoder_ids\": [...]} or {\"text\": \"...\"}");
  flags.value("out", "FILE", "safetensors file to write");
  flags.toggle("hidden", "write hidden.N.LAYER too");
  flags.toggle("attention", "write attention.N.LAYER too");
  if (!flags.parse(arguments)) {
    return 0;
  }
  check(flags.has("input") && flags.has("out"), "lmzoo forward: --input FILE and --out FILE are needed");
  const Registry registry = make_registry();
  const LoadedRun run = load_query_run(flags, registry);
  const std::vector<ForwardRequest> requests =
      read_forward_requests(flags.text("input"), run.parts, *run.tokenizer);
  const NamedTensors tensors = forward(
      *run.parts.model, requests, {.hidden = flags.has("hidden"), .attention = flags.has("attention")});
  write_tensors(flags.text("out"), tensors);
  const Json written{{"out", flags.text("out")}, {"lines", requests.size()}, {"tensors", tensors.size()}};
  flags.has("json")
      ? print(written)
      : print(
            fmt::format("{}: {} tensors of {} lines\n", flags.text("out"), tensors.size(), requests.size()));
  return 0;
}

}  // namespace lmzoo
