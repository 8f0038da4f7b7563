// Shared by the element-wise steps: tensors as kernel arguments, rows over threads, sums of per-thread
// gradients.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>

#include "core/tensor.h"
#include "nn/kernels/elementwise_kernel.h"

namespace lmzoo {

inline Numbers numbers_of(const at::Tensor& x) {
  return x.defined() ? Numbers{x.data_ptr(), x.scalar_type() == at::kBFloat16} : Numbers{};
}

inline const float* floats_of(const at::Tensor& x) {
  return x.defined() ? x.const_data_ptr<float>() : nullptr;
}

// A type that the kernels read, on the CPU.
inline bool is_kernel_number(const at::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}
// Absent, or float32.
inline bool is_kernel_parameter(const at::Tensor& x) {
  return !x.defined() || (x.is_cpu() && x.scalar_type() == at::kFloat);
}

// Autograd refuses undefined tensors as arguments but knows optional ones.
inline std::optional<at::Tensor> if_defined(const at::Tensor& x) {
  return x.defined() ? std::optional(x) : std::nullopt;
}

inline at::Tensor contiguous_or_none(const at::Tensor& x) { return x.defined() ? x.contiguous() : x; }

// How many runs of rows are worth a thread of their own. Fixed by the sizes and the number of threads, so
// that sums over rows come out the same every time.
inline int64_t runs_of(int64_t rows, int64_t width) {
  constexpr int64_t kWorthAThread = 16384;  // elements: about the cost of waking one
  return std::clamp<int64_t>(
      rows * width / kWorthAThread, 1, std::min<int64_t>(at::get_num_threads(), std::max<int64_t>(rows, 1)));
}

// Calls work(begin, end, run) for runs of rows.
template <class Work>
void for_each_run(int64_t rows, int64_t runs, const Work& work) {
  at::parallel_for(0, runs, 1, [&](int64_t first, int64_t last) {
    for (int64_t run = first; run < last; ++run) {
      work(rows * run / runs, rows * (run + 1) / runs, run);
    }
  });
}

// Calls work(begin, end, partial) for runs of rows, each with `sums` floats of its own; returns their totals
// [sums].
template <class Work>
at::Tensor sum_over_runs(int64_t rows, int64_t runs, int64_t sums, const Work& work) {
  const at::Tensor partial = at::zeros({runs, sums}, on_cpu(at::kFloat));
  auto* base = partial.mutable_data_ptr<float>();
  for_each_run(
      rows, runs, [&](int64_t begin, int64_t end, int64_t run) { work(begin, end, base + run * sums); });
  return runs == 1 ? partial[0] : partial.sum(0);
}

}  // namespace lmzoo
