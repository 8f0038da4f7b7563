// `lmzoo generate`: continues texts.
#include "infer/decode/generate.h"

#include <algorithm>
#include <iostream>

#include "cli/query_flags.h"
#include "infer/ask/forward.h"

namespace lmzoo {
namespace {

// What stands before a text in training: the objective's own begin symbol, in a stream the end of the text
// before.
std::vector<int64_t> marks_before_text(const LoadedRun& run) {
  const Vocabulary& vocabulary = run.tokenizer->vocabulary();
  if (run.config.config.data.windows == WindowKind::stream && vocabulary.eos) {
    return {*vocabulary.eos};
  }
  if (run.parts.objective->form().layout != Layout::stream) {
    return {};
  }
  const int64_t probe = vocabulary.size - 1;  // any id will do
  Stream unused({});
  const Example example = run.parts.objective->example({.ids = {probe}}, {}, unused);
  const std::vector<int64_t>& ids = example.sequences.front().ids;
  return {ids.begin(), std::find(ids.begin(), ids.end(), probe)};
}

Prompt prompt_of(const LoadedRun& run, const std::string& text) {
  const Vocabulary& vocabulary = run.tokenizer->vocabulary();
  if (run.parts.model->architecture() == Architecture::encoder_decoder) {
    return {.source = input_ids(*run.tokenizer, Architecture::encoder_decoder, text),
            .context = {*vocabulary.pad}};
  }
  check(run.parts.model->architecture() == Architecture::decoder_only,
        "generate needs a decoder; use fill-mask for an encoder-only model");
  std::vector<int64_t> ids = marks_before_text(run);
  const std::vector<int64_t> content = run.tokenizer->encode_marked(text);
  ids.insert(ids.end(), content.begin(), content.end());
  return {.source = {}, .context = ids};
}

GenerateOptions generate_options(const Flags& flags, const LoadedRun& run) {
  const Vocabulary& vocabulary = run.tokenizer->vocabulary();
  GenerateOptions options;
  options.max_tokens = flags.integer("max-tokens", 64, at_least(1));
  options.sampling = sampling_of(flags);
  options.cache = !flags.has("no-cache");
  if (vocabulary.eos) {
    options.stop = {*vocabulary.eos};
  }
  for (int64_t id = 0; id < run.parts.model->vocab_rows(); ++id) {
    const bool stops = vocabulary.eos == id;
    if (!stops && (id >= vocabulary.size || vocabulary.is_special(id) || vocabulary.unk == id)) {
      options.forbidden.push_back(id);
    }
  }
  return options;
}

}  // namespace

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
  const GenerateOptions options = generate_options(flags, run);
  Json all = Json::array();
  for (size_t i = 0; i < prompts.size(); ++i) {
    Stream stream = sampling_stream(flags, i);
    const std::vector<int64_t> made = generate(*run.parts.model, prompt_of(run, prompts[i]), options, stream);
    std::vector<int64_t> whole = run.tokenizer->encode_marked(prompts[i]);
    whole.insert(whole.end(), made.begin(), made.end());
    const bool alone = run.parts.model->architecture() == Architecture::encoder_decoder;
    const std::string text = run.tokenizer->decode(alone ? made : whole);
    if (!flags.has("json")) {
      print(text + "\n");
    }
    all.push_back({{"prompt", prompts[i]}, {"text", text}, {"ids", made}});
  }
  if (flags.has("json")) {
    print(all.size() == 1 ? all[0] : all);
  }
  return 0;
}

}  // namespace lmzoo
