// make_eval_set of assemble.h.
#include <algorithm>

#include "base/rng.h"
#include "train/run/assemble.h"

namespace lmzoo {
namespace {

// Bytes of text that the labels of a pass stand for, when every token is predicted: only then nats per label
// can be told as bits per byte. An objective that adds no begin symbol never predicts the first token of a
// sample. Text behind an unknown token is not predicted at all.
int64_t predicted_bytes(const Windows& windows, const Parts& parts) {
  const TokenStore& store = windows.store();
  const ObjectiveForm form = parts.objective->form();
  if (form.layout != Layout::stream || form.mixed || store.tokens() == 0 || store.has_columns() ||
      store.notes().unknown > 0) {
    return 0;
  }
  Stream stream({.purpose = Purpose::sampling});
  const Sample probe = windows.window(0).front();
  const Example example = parts.objective->example(probe, {}, stream);
  const bool first_is_predicted = example.sequences.front().ids.front() != probe.ids.front();
  const int64_t content = std::min(windows.tokens(), store.tokens());
  const int64_t predicted = content - (first_is_predicted ? 0 : std::min(content, windows.samples()));
  return static_cast<int64_t>(static_cast<double>(store.text_bytes()) * static_cast<double>(predicted) /
                              static_cast<double>(store.tokens()));
}

// Of what is predicted first: names of the data's classes, unless the objective has its own.
std::vector<std::string> predicted_classes(const Parts& parts) {
  const Slot first = parts.objective->slots().front();
  return first.classes.empty() ? parts.classes : first.classes;
}

}  // namespace

EvalSet make_eval_set(const std::string& name,
                      const MixedWindows& windows,
                      const Parts& parts,
                      const RunConfig& config) {
  const LoaderOptions options{.mode = LoaderMode::evaluate,
                              .batch_size = config.micro_batch(),
                              .seed = config.stream_seed(),
                              .workers = config.data.workers,
                              .prefetch = config.data.prefetch};
  const auto open = [windows, steps = loader_steps(parts, windows), options]() -> BatchPass {
    auto loader = std::make_shared<Loader>(windows, steps, options);
    return [loader] { return loader->next(); };
  };
  return {.name = name,
          .open = open,
          .bytes = predicted_bytes(windows.texts().front().windows, parts),
          .classes = predicted_classes(parts)};
}

}  // namespace lmzoo
