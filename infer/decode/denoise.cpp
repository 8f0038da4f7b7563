#include "infer/decode/denoise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"

namespace lmzoo {
namespace {

struct Proposal {
  int64_t place;
  int64_t id;
  double probability;
};

std::vector<int64_t> masks_in(const std::vector<int64_t>& ids, int64_t mask) {
  std::vector<int64_t> places;
  for (int64_t i = 0; i < std::ssize(ids); ++i) {
    if (ids[static_cast<size_t>(i)] == mask) {
      places.push_back(i);
    }
  }
  return places;
}

// Logits of what may stand at `places`: [K, V], float32 on the CPU.
Tensor logits_at(Model& model, const std::vector<int64_t>& ids, const std::vector<int64_t>& places) {
  const at::Device device = model.parameters().front().device();
  Inputs inputs;
  std::tie(inputs.ids, inputs.sequences) = packed_ids(std::span(&ids, 1));
  const Tensor rows = at::tensor(places, at::kLong).to(device);
  const Tensor states = model.hidden_at(inputs.to(device), {.rows = rows, .counts = {std::ssize(places)}});
  return model.logits(states).to(at::kCPU, at::kFloat).contiguous();
}

double probability_of(std::span<const float> logits, int64_t id) {
  const float most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp(static_cast<double>(logit - most));
  }
  return std::exp(static_cast<double>(logits[static_cast<size_t>(id)] - most)) / sum;
}

std::vector<Proposal> propose(Model& model,
                              const std::vector<int64_t>& ids,
                              const DenoiseOptions& options,
                              Stream& stream) {
  const std::vector<int64_t> places = masks_in(ids, options.mask);
  const Tensor logits = logits_at(model, ids, places);  // [K, V]
  const auto vocabulary = static_cast<size_t>(logits.size(1));
  std::vector<Proposal> proposals;
  for (size_t i = 0; i < places.size(); ++i) {
    const std::span<float> own(logits.mutable_data_ptr<float>() + i * vocabulary, vocabulary);
    own[static_cast<size_t>(options.mask)] = -std::numeric_limits<float>::infinity();
    for (const int64_t id : options.forbidden) {
      own[static_cast<size_t>(id)] = -std::numeric_limits<float>::infinity();
    }
    const int64_t id = draw(candidates(own, options.sampling), stream);
    proposals.push_back({places[i], id, probability_of(own, id)});
  }
  return proposals;
}

}  // namespace

std::vector<int64_t> fill_masks(Model& model,
                                std::vector<int64_t> ids,
                                const DenoiseOptions& options,
                                Stream& stream) {
  check(std::ssize(ids) <= model.max_length(),
        "the text and what is to be written have {} tokens, but the model takes at most {}",
        ids.size(),
        model.max_length());
  const at::NoGradGuard no_grad;
  const auto all = static_cast<int64_t>(masks_in(ids, options.mask).size());
  const int64_t steps = std::min(options.steps, all);
  for (int64_t step = 1; step <= steps; ++step) {
    std::vector<Proposal> proposals = propose(model, ids, options, stream);
    const int64_t stay = all * step / steps - all * (step - 1) / steps;
    std::ranges::stable_sort(proposals, std::ranges::greater{}, &Proposal::probability);
    for (int64_t i = 0; i < stay; ++i) {
      const Proposal& surest = proposals[static_cast<size_t>(i)];
      ids[static_cast<size_t>(surest.place)] = surest.id;
    }
  }
  return ids;
}

}  // namespace lmzoo
