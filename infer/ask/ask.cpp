#include "infer/ask/ask.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "base/check.h"
#include "data/batches/collate.h"

namespace lmzoo {
namespace {

// So many samples a forward pass: enough to keep the threads busy, small enough for any memory.
constexpr size_t kSamplesAtOnce = 64;

}  // namespace

Predictions ask(const Parts& parts, std::span<const Sample> samples) {
  check(parts.objective->predicts(),
        "this run was not trained on a task with answers: it predicts no classes, numbers, tags or answers");
  const at::NoGradGuard no_grad;
  const at::Device device = parts.model->parameters().front().device();
  Predictions all;
  for (size_t begin = 0; begin < samples.size(); begin += kSamplesAtOnce) {
    std::vector<Example> examples;
    for (Sample sample : samples.subspan(begin, std::min(kSamplesAtOnce, samples.size() - begin))) {
      sample.label = 0;  // any: examples have one, and predictions do not depend on it
      Stream stream({.sample = begin, .purpose = Purpose::sampling});
      for (Example& example : parts.objective->examples(sample, {}, stream)) {
        examples.push_back(std::move(example));
      }
    }
    const Batch batch =
        collate(examples, {parts.model->architecture(), parts.vocabulary, parts.objective->slots()});
    all.append(parts.objective->predict(*parts.model, batch.to(device)));
  }
  return all;
}

}  // namespace lmzoo
