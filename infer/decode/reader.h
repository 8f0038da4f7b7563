// Sequences that a model goes on reading, and what it says may follow. Either with the state that the model
// hands out, so that a new id costs one position, or, for comparison, by computing all of them again.
//
// Legend: n sequences, V vocabulary.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/model.h"

namespace lmzoo {

// What is to be continued.
struct Prompt {
  std::vector<int64_t> source{};   // encoder-decoder: the encoder's ids; else empty
  std::vector<int64_t> context{};  // ids the decoder has already; at least one (for T5 the start symbol, pad)
  int64_t prefix = 0;              // decoder-only: so many first ids of the context see each other
  std::optional<int64_t> room{};   // positions that the new ids may take, of which the last takes none
};

class Reader {
 public:
  virtual ~Reader() = default;
  // Every sequence reads one id or more; the first time, its prompt's context. Logits of what follows the
  // last: [n, V], float32 on the CPU.
  virtual Tensor read(std::span<const std::vector<int64_t>> added) = 0;
  // Sequence i becomes what sequence order[i] is; those that are not named leave.
  virtual void reorder(std::span<const int64_t> order) = 0;
};

// Both keep a reference to the model. `capacity`: positions of the longest sequence in the end.
std::unique_ptr<Reader> reader_with_state(Model& model, std::span<const Prompt> prompts, int64_t capacity);
std::unique_ptr<Reader> reader_from_scratch(Model& model, std::span<const Prompt> prompts);

// What the model reads for these prompts when their contexts are `contexts`.
Inputs inputs_of(const Model& model,
                 std::span<const Prompt> prompts,
                 std::span<const std::vector<int64_t>> contexts);

}  // namespace lmzoo
