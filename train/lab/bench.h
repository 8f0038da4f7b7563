// Measurements of this machine and of whole training steps on it (`lmzoo bench`).
//
// A machine with neighbors changes its speed by the minute: only figures of one call compare, and each
// bench_step measures its own limit beside the steps.
#pragma once

#include <string>
#include <vector>

#include "train/run/assemble.h"

namespace lmzoo {

struct Figure {
  std::string name;  // "tokens_per_s"
  double value = 0;
  std::string meaning;
};
using Figures = std::vector<Figure>;

struct BenchOptions {
  int64_t steps = 20;  // measured, after two to warm up
  at::Device device = at::kCPU;
};

// Whole steps (forward, backward, clipping, update) of the configuration on full windows of random ids; needs
// no data. The limit is the rate at which LibTorch multiplies matrices of exactly these shapes, forward and
// backward, in the same precision: a share of 1 would mean that all else costs nothing.
Figures bench_step(const LoadedConfig& loaded, const Registry& registry, const BenchOptions& options);

// Multiply-adds in registers, matrix products, reading memory.
Figures bench_machine(at::Device device);

// Batches from the configuration's text, and its tokenizer on that text, each on one thread.
Figures bench_loader(const LoadedConfig& loaded, const Registry& registry);
Figures bench_tokenizer(const LoadedConfig& loaded);

// Register-only multiply-adds of the widest vectors of this CPU, on so many threads, in FLOP/s.
double fma_rate(int threads);

}  // namespace lmzoo
