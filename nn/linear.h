// A linear map, y = x Wᵀ + b, perhaps with low-rank additions (nn/low_rank.h). Weights are uninitialized:
// each model sets all of its own in one function (nn/init.h).
//
// Legend: R rows, I inputs, O outputs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/module.h"

namespace lmzoo {

class LowRank;
struct LowRankOptions;

// What a sublayer adds to the residual stream. Its last bias stands apart: adding it, dropout, the sum and
// the next norm are one pass (nn/kernels/elementwise.h).
struct Branch {
  Tensor x;     // [R, O]
  Tensor bias;  // [O] or undefined
};

// A map that several merged into one: the rows of one of them.
struct RowPart {
  std::string name;
  int64_t rows = 0;
};

struct LinearOptions {
  int64_t inputs = 0;
  int64_t outputs = 0;
  bool bias = true;
  std::vector<RowPart> parts{};  // in the order of the rows, all of them; empty: it is one map
};

class Linear : public Module {
 public:
  explicit Linear(const LinearOptions& options);

  Tensor forward(const Tensor& x) const;  // [R, I] -> [R, O]
  Branch branch(const Tensor& x) const;   // W x and the bias apart
  // Outputs [first, first + count) alone, of a map without additions: [R, I] -> [R, count]
  Tensor forward_part(const Tensor& x, int64_t first, int64_t count) const;

  // Adds a fresh low-rank addition to one part, or to all rows when `part` is empty: module "lora_PART" or
  // "lora".
  LowRank& adapt(const std::string& part, const LowRankOptions& options);
  // Adds the additions to the weight and drops them.
  void merge();

  Tensor weight;  // [O, I]
  Tensor bias;    // [O] or undefined
  const std::vector<RowPart> parts;
  std::vector<std::shared_ptr<LowRank>> adapters;

 private:
  Tensor product(const Tensor& x, const Tensor& added_bias) const;
};

}  // namespace lmzoo
