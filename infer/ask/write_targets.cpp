#include "infer/ask/write_targets.h"

#include "infer/decode/run_prompt.h"

namespace lmzoo {
namespace {

GenerateOptions greedy(const Parts& parts) {
  GenerateOptions options;
  options.max_tokens = parts.objective->lengths().target;
  options.sampling.temperature = 0;
  options.stop = ends_of(parts);
  for (int64_t id = parts.vocabulary.size; id < parts.model->vocab_rows(); ++id) {
    options.forbidden.push_back(id);  // rows of the embedding that stand for nothing
  }
  return options;
}

}  // namespace

bool writes_targets(const Parts& parts, const Windows& windows) {
  return parts.model->architecture() != Architecture::encoder_only &&
         parts.objective->form().layout == Layout::source_target && windows.size() > 0 &&
         !windows.window(0).front().target.empty();
}

TextPredictions write_targets(const Parts& parts,
                              const Tokenizer& tokenizer,
                              const Windows& windows,
                              const Progress& progress) {
  const GenerateOptions options = greedy(parts);
  TextPredictions texts;
  std::vector<Prompt> prompts;
  std::vector<Stream> streams;
  const auto write = [&] {
    for (const std::vector<int64_t>& written : generate(*parts.model, prompts, options, streams)) {
      texts.predicted.push_back(tokenizer.decode(written));
    }
    prompts.clear();
    streams.clear();
  };
  for (int64_t i = 0; i < windows.size(); ++i) {
    progress("writing", static_cast<double>(i) / static_cast<double>(windows.size()));
    for (const Sample& sample : windows.window(i)) {
      Stream stream({.sample = static_cast<uint64_t>(i), .purpose = Purpose::sampling});
      const Example pair = parts.objective->example(sample, {}, stream);
      Prompt prompt = prompt_of_source(*parts.model, parts.vocabulary, pair.sequences.front().ids);
      // A source before a short target may fill so much of the window that no longest one fits behind it.
      prompt.room = parts.model->max_length() - std::ssize(prompt.context);
      prompts.push_back(std::move(prompt));
      streams.push_back(stream);
      texts.truth.push_back({tokenizer.decode(sample.target)});
      if (prompts.size() == kPromptsAtOnce) {
        write();
      }
    }
  }
  write();
  return texts;
}

}  // namespace lmzoo
