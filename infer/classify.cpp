#include "infer/classify.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "core/check.h"
#include "objectives/classifier.h"

namespace lmzoo {
namespace {

// So many texts a forward pass: enough to keep the threads busy, small enough for any memory.
constexpr size_t kTextsAtOnce = 64;

Classification ranked(const std::string& text,
                      const std::vector<std::string>& names,
                      const Tensor& probabilities) {
  Classification result{.text = text, .classes = {}};
  const auto values = probabilities.accessor<float, 1>();
  for (size_t c = 0; c < names.size(); ++c) {
    result.classes.emplace_back(names[c], values[static_cast<int64_t>(c)]);
  }
  std::stable_sort(result.classes.begin(), result.classes.end(), [](const auto& a, const auto& b) {
    return a.second > b.second;
  });
  return result;
}

Inputs packed_inputs(const Classifier& classifier,
                     const Tokenizer& tokenizer,
                     int64_t longest,
                     std::span<const std::string> texts) {
  std::vector<int64_t> all;
  std::vector<int64_t> lengths;
  for (const std::string& text : texts) {
    std::vector<int64_t> content = tokenizer.encode(text);
    content.resize(std::min<size_t>(content.size(), static_cast<size_t>(longest)));
    const std::vector<int64_t> ids = classifier.input_ids(content);
    all.insert(all.end(), ids.begin(), ids.end());
    lengths.push_back(static_cast<int64_t>(ids.size()));
  }
  Inputs inputs;
  inputs.ids = torch::tensor(all, torch::kInt64);
  inputs.sequences = Sequences(lengths);
  return inputs;
}

}  // namespace

std::vector<Classification> classify(Model& model,
                                     Objective& objective,
                                     const Tokenizer& tokenizer,
                                     const std::vector<std::string>& texts) {
  auto* classifier = dynamic_cast<Classifier*>(&objective);
  check(classifier != nullptr, "classify needs a run that was trained with the objective classification");
  const at::NoGradGuard no_grad;
  const torch::Device device = model.parameters().front().device();
  std::vector<Classification> results;
  for (size_t begin = 0; begin < texts.size(); begin += kTextsAtOnce) {
    const auto chunk = std::span(texts).subspan(begin, std::min(kTextsAtOnce, texts.size() - begin));
    const Inputs inputs = packed_inputs(*classifier, tokenizer, objective.lengths().raw, chunk);
    const Tensor probabilities = classifier->scores(model, inputs.to(device))
                                     .to(torch::kCPU, torch::kFloat32)
                                     .softmax(-1)
                                     .contiguous();
    for (size_t i = 0; i < chunk.size(); ++i) {
      results.push_back(ranked(chunk[i], classifier->classes(), probabilities[static_cast<int64_t>(i)]));
    }
  }
  return results;
}

}  // namespace lmzoo
