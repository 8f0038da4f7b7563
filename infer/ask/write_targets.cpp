#include "infer/ask/write_targets.h"

#include "infer/decode/generate.h"

namespace lmzoo {
namespace {

GenerateOptions greedy(const Parts& parts) {
  GenerateOptions options;
  options.max_tokens = parts.objective->lengths().target;
  options.sampling.temperature = 0;
  options.stop = {parts.vocabulary.eos.value()};
  for (int64_t id = parts.vocabulary.size; id < parts.model->vocab_rows(); ++id) {
    options.forbidden.push_back(id);  // rows of the embedding that stand for nothing
  }
  return options;
}

}  // namespace

bool writes_targets(const Parts& parts, const Windows& windows) {
  return parts.model->architecture() == Architecture::encoder_decoder &&
         parts.objective->form().layout == Layout::source_target && windows.size() > 0 &&
         !windows.window(0).front().target.empty();
}

TextPredictions write_targets(const Parts& parts,
                              const Tokenizer& tokenizer,
                              const Windows& windows,
                              const Progress& progress) {
  const GenerateOptions options = greedy(parts);
  TextPredictions texts;
  for (int64_t i = 0; i < windows.size(); ++i) {
    progress("writing", static_cast<double>(i) / static_cast<double>(windows.size()));
    for (const Sample& sample : windows.window(i)) {
      Stream stream({.sample = static_cast<uint64_t>(i), .purpose = Purpose::sampling});
      const Example pair = parts.objective->example(sample, {}, stream);
      const std::vector<int64_t> written =
          generate(*parts.model,
                   {.source = pair.sequences.front().ids, .context = {parts.vocabulary.pad.value()}},
                   options,
                   stream);
      texts.predicted.push_back(tokenizer.decode(written));
      texts.truth.push_back({tokenizer.decode(sample.target)});
    }
  }
  return texts;
}

}  // namespace lmzoo
