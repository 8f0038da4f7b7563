#include "objectives/parts/id_weights.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "nn/parameter.h"

namespace lmzoo {

IdWeights::IdWeights(const AdaptiveOptions& options, int64_t vocabulary)
    : options_(options),
      weights_(register_buffer("weights", new_parameter({vocabulary}).fill_(1))),
      right_(register_buffer("right", at::zeros({vocabulary}, weights_.options().dtype(at::kLong)))),
      seen_(register_buffer("seen", at::zeros({vocabulary}, weights_.options().dtype(at::kLong)))),
      values_(static_cast<size_t>(vocabulary), 1) {}

void IdWeights::note(const Projection& logits, const Tensor& labels) {
  const at::NoGradGuard no_grad;
  constexpr int64_t kRowsAtOnce = 512;  // of which the logits are held
  for (int64_t first = 0; first < labels.size(0); first += kRowsAtOnce) {
    const int64_t count = std::min(kRowsAtOnce, labels.size(0) - first);
    const Projection part{
        .rows = logits.rows.narrow(0, first, count), .weight = logits.weight, .bias = logits.bias};
    const Tensor own = labels.narrow(0, first, count);
    right_.index_add_(0, own, part.logits().argmax(1).eq(own).to(at::kLong));
    seen_.index_add_(0, own, at::ones_like(own));
  }
}

void IdWeights::adapt() {
  const at::NoGradGuard no_grad;
  const Tensor right = right_.to(at::kCPU), seen = seen_.to(at::kCPU);
  double sum = 0;
  for (size_t i = 0; i < values_.size(); ++i) {
    const auto n = static_cast<double>(seen.const_data_ptr<int64_t>()[i]);
    const auto c = static_cast<double>(right.const_data_ptr<int64_t>()[i]);
    const double accuracy = (c + 0.5) / (n + 1);
    values_[i] = std::max(options_.least, options_.keep * values_[i] + (1 - options_.keep) * (1 - accuracy));
    sum += values_[i];
  }
  for (double& value : values_) {
    value *= static_cast<double>(values_.size()) / sum;
  }
  weights_.copy_(at::tensor(values_, at::kDouble));
  right_.zero_();
  seen_.zero_();
  follow();  // to the bit what a checkpoint will say
}

void IdWeights::follow() {
  const Tensor now = weights_.to(at::kCPU);
  const float* const values = now.const_data_ptr<float>();
  std::copy(values, values + values_.size(), values_.begin());
}

}  // namespace lmzoo
