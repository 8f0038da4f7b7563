// Skip-gram and CBOW on autograd: the reference that the kernels of models/word2vec are tested against, and
// what makes word vectors an objective as any other (plan, inspect, eval). `lmzoo train` uses the kernels.
//
//   text      the quick brown fox         window 1
//   skipgram  ids      quick | the brown | quick fox | brown       one id a position, each with a label
//             labels   the   | quick quick | brown brown | fox
//   cbow      ids      quick | the brown | quick fox | brown       a label at the last word of each bag
//             labels   the   |     quick |     brown | fox
//
// Legend: N words around (positions), K labels (skipgram: K = N), T outputs of a label, D width.
#pragma once

#include <memory>
#include <span>

#include "base/words/alias_table.h"
#include "base/words/huffman.h"
#include "core/registry.h"
#include "objectives/parts/word_options.h"

namespace lmzoo {

// Σ n · logistic loss: for each label's outputs, -log σ(s) where `answers` is 1 and -log σ(-s) where it is 0,
// `times` (0: not there) times. All [K, T].
Tensor logistic_loss(const Tensor& scores, const Tensor& answers, const Tensor& times);

// h [K, D] from the words around x [N, D]; `owners` [N] tells the label of each. With `mean` the forward pass
// is the mean, and the gradient is that of the sum: word2vec adds the error undivided to each word.
Tensor bag_states(const Tensor& x, const Tensor& owners, int64_t labels, bool mean);

// The outputs of labels, padded to the longest: rows of the output table, answers, and how often each counts.
struct WordTargets {
  Tensor rows;     // [K, T] int64
  Tensor answers;  // [K, T] float32
  Tensor times;    // [K, T] float32, 0 for padding
};
// The inner nodes of the tree on the way to each label.
WordTargets tree_targets(const HuffmanTree& tree, std::span<const int64_t> labels);

class WordObjective final : public Objective {
 public:
  WordObjective(const WordOptions& options, bool is_cbow, const ObjectiveContext& context);

  ObjectiveForm form() const override {
    return {.layout = Layout::in_place, .needs_both_sides = true, .of_words = true};
  }
  ObjectiveLengths lengths() const override;
  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override;
  Losses loss(Model& model, const Batch& batch, Stream& stream) override;

 private:
  WordTargets targets(const Tensor& labels) const;
  WordTargets noise_targets(std::span<const int64_t> labels) const;

  WordOptions options_;
  bool is_cbow_;
  int64_t length_;
  std::shared_ptr<const std::vector<int64_t>> counts_;
  std::vector<uint32_t> keep_;
  std::optional<AliasTable> noise_;
  std::optional<HuffmanTree> tree_;
};

ObjectiveKind word_objective_kind(std::string name, std::string summary, bool is_cbow);

}  // namespace lmzoo
