// The obvious kernels: what the fast ones must agree with.
#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/words/kernels.h"

namespace lmzoo {
namespace {

float dot(const float* a, const float* b, int64_t stride) {
  double sum = 0;
  for (int64_t i = 0; i < stride; ++i) {
    sum += static_cast<double>(a[i]) * b[i];
  }
  return static_cast<float>(sum);
}

// label - σ(score); 0 where word2vec skips.
float error_of(float score, float label, SigmoidKind kind) {
  constexpr float kBound = 6;
  if (kind == SigmoidKind::exact) {
    return label - 1 / (1 + std::exp(-score));
  }
  if (score <= -kBound || score >= kBound) {
    return kind == SigmoidKind::table_or_skip ? 0 : label - (score > 0 ? 1.0F : 0.0F);
  }
  constexpr int kCells = 1000;
  const int cell = static_cast<int>((score + kBound) * (kCells / (2 * kBound)));
  return label - sigmoid_table()[std::min(cell, kCells - 1)];
}

void add(float* to, float factor, const float* from, int64_t stride) {
  for (int64_t i = 0; i < stride; ++i) {
    to[i] += factor * from[i];
  }
}

void pairs(const WordGroup& group, const WordStep& step, KernelScratch& scratch) {
  const int64_t T = group.output_count;
  std::vector<std::vector<float>> old_inputs;
  for (int64_t b = 0; b < group.input_count; ++b) {
    old_inputs.emplace_back(group.inputs[b], group.inputs[b] + step.stride);
    for (int64_t t = 0; t < T; ++t) {
      const float score = dot(group.inputs[b], group.outputs[t], step.stride);
      scratch.scores[b * T + t] = score;
      scratch.gradients[b * T + t] = step.lr * group.input_times[b] * group.output_times[t] *
                                     error_of(score, group.labels[t], step.sigmoid);
    }
  }
  for (int64_t b = 0; b < group.input_count; ++b) {
    for (int64_t t = 0; t < T; ++t) {
      add(group.inputs[b], scratch.gradients[b * T + t], group.outputs[t], step.stride);
    }
  }
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t b = 0; b < group.input_count; ++b) {
      add(group.outputs[t],
          scratch.gradients[b * T + t],
          old_inputs[static_cast<size_t>(b)].data(),
          step.stride);
    }
  }
}

void bag(const WordGroup& group, const WordStep& step, KernelScratch& scratch) {
  std::vector<float> sum(static_cast<size_t>(step.stride)), error(static_cast<size_t>(step.stride));
  for (int64_t b = 0; b < group.input_count; ++b) {
    add(sum.data(), step.scale * group.input_times[b], group.inputs[b], step.stride);
  }
  for (int64_t t = 0; t < group.output_count; ++t) {
    const float score = dot(sum.data(), group.outputs[t], step.stride);
    scratch.scores[t] = score;
    scratch.gradients[t] = step.lr * group.output_times[t] * error_of(score, group.labels[t], step.sigmoid);
    add(error.data(), scratch.gradients[t], group.outputs[t], step.stride);
    add(group.outputs[t], scratch.gradients[t], sum.data(), step.stride);
  }
  for (int64_t b = 0; b < group.input_count; ++b) {
    add(group.inputs[b], group.input_times[b], error.data(), step.stride);
  }
}

}  // namespace

const WordKernels& reference_kernels() {
  static const WordKernels kernels{&pairs, &bag};
  return kernels;
}

}  // namespace lmzoo
