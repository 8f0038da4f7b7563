// On the CPU: blocks of a fixed size in parallel, their sums added in order, so
// that the bits do not depend on the number of threads.
#include "train/optimizers/parts/gradients.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/Parallel.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

namespace lmzoo {
namespace {

constexpr int64_t kBlock = 1 << 15;

// Independent lanes, so that the compiler may use vectors without reordering a sum.
template <class T>
double sum_of_squares(const T* values, int64_t count) {
  constexpr int64_t kLanes = 32;
  T lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] += values[i + lane] * values[i + lane];
    }
  }
  for (; i < count; ++i) {
    lanes[0] += values[i] * values[i];
  }
  return std::accumulate(lanes, lanes + kLanes, 0.0);
}

template <class T>
Tensor cpu_norm(std::span<const Tensor> tensors) {
  struct Block {
    const T* values;
    int64_t count;
  };
  std::vector<Block> blocks;
  std::vector<Tensor> dense;  // keeps copies alive
  for (const Tensor& tensor : tensors) {
    dense.push_back(tensor.is_non_overlapping_and_dense() ? tensor : tensor.contiguous());
    const T* values = dense.back().const_data_ptr<T>();
    for (int64_t begin = 0; begin < tensor.numel(); begin += kBlock) {
      blocks.push_back({values + begin, std::min(kBlock, tensor.numel() - begin)});
    }
  }
  std::vector<double> sums(blocks.size());
  at::parallel_for(0, static_cast<int64_t>(blocks.size()), 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      sums[i] = sum_of_squares(blocks[i].values, blocks[i].count);
    }
  });
  const double norm = std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
  return at::scalar_tensor(norm, on_cpu(at::kFloat));
}

}  // namespace

Tensor global_norm(std::span<const Tensor> tensors) {
  if (tensors.empty()) {
    return at::zeros({}, on_cpu(at::kFloat));
  }
  const at::NoGradGuard no_grad;
  const bool one_type = std::all_of(tensors.begin(), tensors.end(), [&](const Tensor& tensor) {
    return tensor.is_cpu() && tensor.scalar_type() == tensors[0].scalar_type();
  });
  if (one_type && tensors[0].scalar_type() == at::kFloat) {
    return cpu_norm<float>(tensors);
  }
  if (one_type && tensors[0].scalar_type() == at::kDouble) {
    return cpu_norm<double>(tensors);
  }
  const std::vector<Tensor> norms = at::_foreach_norm(at::TensorList(tensors.data(), tensors.size()), 2);
  return at::linalg_vector_norm(at::stack(norms), 2).to(at::kFloat);
}

Judgment judge(std::span<const Tensor> gradients, double count, const Tensor& loss, double clip_norm) {
  const at::NoGradGuard no_grad;
  const double labels = count > 0 ? count : 1;
  Judgment judgment;
  Tensor& norm = judgment.update.grad_norm;
  norm =
      gradients.empty() ? at::zeros({}, loss.options().dtype(at::kFloat)) : global_norm(gradients) / labels;
  judgment.update.skipped = at::isfinite(norm + loss).logical_not_().to(at::kFloat);
  judgment.divisor =
      clip_norm > 0 ? (norm / clip_norm).clamp_min_(1).mul_(labels) : at::full({}, labels, norm.options());
  return judgment;
}

}  // namespace lmzoo
