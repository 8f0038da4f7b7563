#include "infer/decode/generate.h"

#include <algorithm>
#include <limits>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"

namespace lmzoo {
namespace {

Tensor as_ids(std::span<const int64_t> ids, at::Device device) {
  return at::tensor(std::vector<int64_t>(ids.begin(), ids.end()), at::kLong).to(device);
}

// A model with what it has seen so far.
class Decoding {
 public:
  Decoding(Model& model, const Prompt& prompt, bool cached)
      : model_(model), two_stacks_(model.architecture() == Architecture::encoder_decoder), cached_(cached) {
    const at::Device device = model.parameters().front().device();
    if (two_stacks_) {
      inputs_.ids = as_ids(prompt.source, device);
      inputs_.sequences = Sequences::uniform(1, inputs_.ids.size(0)).to(device);
      inputs_.memory = model.encode(inputs_);
    }
    inputs_.cache = cached ? &cache_ : nullptr;
  }

  // Reads `added` after everything read before; logits of each new position: [added, V], float32 on the CPU.
  Tensor read(std::span<const int64_t> added) {
    seen_.insert(seen_.end(), added.begin(), added.end());
    const std::span<const int64_t> fed = cached_ ? added : std::span<const int64_t>(seen_);
    Tensor& ids = two_stacks_ ? inputs_.decoder_ids : inputs_.ids;
    Sequences& sequences = two_stacks_ ? inputs_.decoder_sequences : inputs_.sequences;
    const at::Device device = model_.parameters().front().device();
    ids = as_ids(fed, device);
    sequences = Sequences::uniform(1, ids.size(0)).to(device);
    const Tensor states = model_.hidden(inputs_);  // [fed, D]
    const Tensor fresh = states.slice(0, states.size(0) - static_cast<int64_t>(added.size()));
    return model_.logits(fresh).to(at::kCPU, at::kFloat).contiguous();
  }

 private:
  Model& model_;
  bool two_stacks_;
  bool cached_;
  Inputs inputs_;
  Cache cache_;
  std::vector<int64_t> seen_;
};

bool contains(const std::vector<int64_t>& ids, int64_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

void check_lengths(const Model& model, const Prompt& prompt, int64_t added) {
  check(!prompt.context.empty(), "the prompt has no token");
  const auto context = static_cast<int64_t>(prompt.context.size());
  check(context <= model.max_length() - added,
        "the prompt has {} tokens and {} more are asked for, but the model takes at most {}",
        context,
        added,
        model.max_length());
  check(static_cast<int64_t>(prompt.source.size()) <= model.max_length(),
        "the source has {} tokens, but the model takes at most {}",
        prompt.source.size(),
        model.max_length());
}

}  // namespace

std::vector<int64_t> generate(Model& model,
                              const Prompt& prompt,
                              const GenerateOptions& options,
                              Stream& stream,
                              const std::function<void(int64_t)>& seen) {
  check_lengths(model, prompt, options.max_tokens);
  const at::NoGradGuard no_grad;
  Decoding decoding(model, prompt, options.cache);
  std::vector<int64_t> made;
  Tensor logits = decoding.read(prompt.context);
  while (static_cast<int64_t>(made.size()) < options.max_tokens) {
    float* row = logits.data_ptr<float>() + (logits.size(0) - 1) * logits.size(1);
    for (const int64_t id : options.forbidden) {
      row[id] = -std::numeric_limits<float>::infinity();
    }
    const std::vector<Candidate> among =
        candidates({row, static_cast<size_t>(logits.size(1))}, options.sampling);
    const int64_t next = draw(among, stream);
    if (contains(options.stop, next)) {
      break;
    }
    made.push_back(next);
    if (seen) {
      seen(next);
    }
    if (static_cast<int64_t>(made.size()) < options.max_tokens) {
      logits = decoding.read(std::span<const int64_t>(&next, 1));
    }
  }
  return made;
}

Score score(Model& model, const Prompt& prompt, std::span<const int64_t> continuation) {
  check_lengths(model, prompt, static_cast<int64_t>(continuation.size()));
  const at::NoGradGuard no_grad;
  Decoding decoding(model, prompt, /*cached=*/false);
  std::vector<int64_t> fed = prompt.context;
  fed.insert(fed.end(), continuation.begin(), continuation.end());
  fed.pop_back();  // nothing follows the last one
  const auto count = static_cast<int64_t>(continuation.size());
  const Tensor logits = decoding.read(fed);
  const Tensor rows = logits.slice(0, logits.size(0) - count).log_softmax(-1);  // [count, V]
  const Tensor wanted = as_ids(continuation, at::kCPU);
  return {rows.gather(1, wanted.unsqueeze(1)).sum(at::kDouble).item<double>(),
          at::equal(rows.argmax(-1), wanted)};
}

}  // namespace lmzoo
