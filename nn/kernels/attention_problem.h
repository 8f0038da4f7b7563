// What attention's CPU kernels are told, from tensors, and how their tasks are spread over threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "core/tensor.h"
#include "nn/kernels/attention_kernel.h"

namespace lmzoo {

// Heads [positions, heads, Dh] whose last dimension is contiguous.
inline HeadMatrix matrix_of(const Tensor& heads) {
  return {heads.data_ptr(), heads.stride(0), heads.stride(1)};
}

// `bias` as AttentionRule::bias, contiguous float32, or undefined.
inline void set_bias(AttentionProblem& problem, const Tensor& bias) {
  if (bias.defined()) {
    problem.bias = bias.const_data_ptr<float>();
    problem.bias_head = bias.stride(0);
    problem.bias_row = bias.dim() == 2 ? -1 : bias.stride(1);
    problem.bias_middle = bias.size(1) / 2;
  }
}

// Runs `task(index, scratch)` for every index. Threads take the next one when they are free, so neither
// ragged lengths nor a busy neighbor leave one waiting; no task's result depends on who runs it.
template <class Task>
void for_each_task(int64_t tasks, int64_t scratch_floats, const Task& task) {
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), tasks);
  const Tensor scratch = at::empty({threads, (scratch_floats + 15) / 16 * 16}, on_cpu(at::kFloat));
  auto* memory = scratch.mutable_data_ptr<float>();
  std::atomic<int64_t> next{0};
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t thread = begin; thread < end; ++thread) {
      for (int64_t index = next++; index < tasks; index = next++) {
        task(index, memory + thread * scratch.size(1));
      }
    }
  });
}

}  // namespace lmzoo
