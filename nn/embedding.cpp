#include "nn/embedding.h"

#include <memory>

#include <ATen/ops/embedding.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "base/check.h"
#include "nn/parameter.h"

namespace lmzoo {
namespace {

// After backward(): a gradient of lookups alone becomes dense, as optimizers expect it.
struct Densify final : torch::autograd::PostAccumulateGradHook {
  void operator()(const torch::autograd::Variable& weight) override {
    if (weight.grad().is_sparse()) {
      weight.mutable_grad() = weight.grad().to_dense();
    }
  }
};

}  // namespace

Embedding::Embedding(int64_t rows, int64_t width)
    : weight(register_parameter("weight", new_parameter({rows, width}))) {
  torch::autograd::impl::set_post_acc_grad_hooks(weight, std::make_unique<Densify>());
}

// A lookup touches few rows. Its gradient stays sparse until autograd has added it to that of a tied head,
// which spares two passes over [V, D]. On a GPU sparse sums come in another order every time: dense there.
Tensor Embedding::forward(const Tensor& ids) const {
  constexpr int64_t no_padding = -1;
  return at::embedding(weight, ids, no_padding, /*scale_grad_by_freq=*/false, /*sparse=*/weight.is_cpu());
}

int64_t vocabulary_rows(std::optional<int64_t> vocab_size, const ModelContext& context) {
  const int64_t ids = context.vocabulary.size;
  const int64_t rows = vocab_size.value_or(ids);
  check(rows >= ids, "vocab_size is {} but must be at least the tokenizer's {} ids", rows, ids);
  return rows;
}

}  // namespace lmzoo
