#include "models/embedding.h"

#include <ATen/ops/embedding.h>

#include "core/check.h"
#include "models/parameter.h"

namespace lmzoo {

Embedding::Embedding(int64_t rows, int64_t width)
    : weight(register_parameter("weight", new_parameter({rows, width}))) {}

Tensor Embedding::forward(const Tensor& ids) const { return at::embedding(weight, ids); }

int64_t vocabulary_rows(std::optional<int64_t> vocab_size, const ModelContext& context) {
  const int64_t ids = context.vocabulary.size;
  const int64_t rows = vocab_size.value_or(ids);
  check(rows >= ids, "vocab_size is ", rows, " but must be at least the tokenizer's ", ids, " ids");
  return rows;
}

}  // namespace lmzoo
