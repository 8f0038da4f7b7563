// A table of vectors, looked up by id: tokens, token types. Uninitialized, as all weights of parts.
//
// Legend: N positions, V rows, D width.
#pragma once

#include <optional>

#include "core/module.h"
#include "core/registry.h"

namespace lmzoo {

class Embedding : public Module {
 public:
  Embedding(int64_t rows, int64_t width);

  // [N] -> [N, D]. weight.grad() is dense after backward(); what torch::autograd::grad gives may be sparse.
  Tensor forward(const Tensor& ids) const;

  Tensor weight;  // [V, D]
};

// V of a model: `vocab_size` when it is given (published checkpoints have rows beyond the ids of their
// tokenizers), else the size of the tokenizer. Fewer rows than ids are refused.
int64_t vocabulary_rows(std::optional<int64_t> vocab_size, const ModelContext& context);

}  // namespace lmzoo
