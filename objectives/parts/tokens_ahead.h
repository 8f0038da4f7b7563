// Several next tokens at once (Gloeckle et al. 2024, "Better & faster large language models via multi-token prediction",
// arXiv 2404.19737, section 2): over the states z of a shared trunk, head i predicts the token i places on, and all of them
// share the map to the vocabulary:
//
//   L = - Σ_t Σ_{i=1..n} log P_i(x_{t+i} | z_{≤t})      P_i = softmax(unembedding(head_i(z)))
//
//   text 7 8 9 10, n = 3     at 7: 8 | 9 | 10     at 8: 9 | 10     at 9: 10
//
// Head 1 is the model itself, which finished predicts and writes as if it had been alone. Each further head is a
// transformer block of its own over the model's last states, with a norm behind it. (The paper takes the blocks of the
// heads from the trunk: its head 1 is the model's last block, and the others read what that one reads. A model of the zoo
// hands out its last states only, so here they read one block more.)
//
// Heads are computed one after the other, and the loss of each in chunks of rows (nn/linear_cross_entropy.h), so that
// logits of one head's chunk is all that there is of [K, V] at any time.
//
// Legend: N positions, K labeled rows, D width, V vocabulary.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/fields.h"
#include "core/objective.h"
#include "nn/block.h"
#include "nn/linear_cross_entropy.h"

namespace lmzoo {

struct AheadOptions {
  int64_t tokens = 4;  // the paper's best for 7B parameters; for small models fewer
  double weight = 1;
  int64_t heads = 4;
  std::optional<int64_t> ffn_width{};
  double dropout = 0;

  static constexpr void fields(auto& self, auto& visit) {
    visit(
        "tokens", self.tokens, "next tokens that each position predicts, the first included", between(2, 32));
    visit("weight", self.weight, "of the loss of each token but the first", at_least(0));
    visit("heads", self.heads, "attention heads of the block of each further token", at_least(1));
    visit("ffn_width", self.ffn_width, "inner width of its feed-forward; absent: 4 · width", at_least(1));
    visit("dropout", self.dropout, "of its attention and of what each sublayer adds", half_open(0, 1));
  }
  bool operator==(const AheadOptions&) const = default;
};

// The heads behind the first. Slot 0 is the objective's own, slots 1, 2, ... are theirs.
class TokensAhead : public Module {
 public:
  TokensAhead(const AheadOptions& options, int64_t width, int64_t longest);

  void append_slots(std::vector<Slot>& slots) const;
  // Their targets beside those of next_tokens (core/example.h): at the same positions.
  void add_targets(Example& example) const;
  // Their terms, of the model's states [N, D]. In evaluation they have no weight: the loss is that of the first.
  void add_losses(
      Model& model, const Tensor& states, const Batch& batch, const EntropyTerms& terms, Losses& losses);

 private:
  AheadOptions options_;
  std::shared_ptr<Positions> positions_;
  std::vector<std::shared_ptr<Stack>> heads_;  // each of one block
};

}  // namespace lmzoo
