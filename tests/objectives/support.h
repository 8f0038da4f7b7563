// Makes objectives by name, batches by hand and the smallest model that can learn by heart.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/registry.h"

namespace lmzoo::test {

using Setting = std::variant<bool, int64_t, double, std::string>;
using Settings = std::map<std::string, Setting>;

// BERT's numbers for [CLS] [SEP] [MASK] [PAD] [UNK], T5's for eos and 100 sentinels.
Vocabulary bert_vocabulary();
Vocabulary t5_vocabulary();

// Of these vocabularies, with a width of 16.
ObjectiveContext bert_context(int64_t sequence_length = 128);
ObjectiveContext t5_context(int64_t sequence_length,
                            Architecture architecture = Architecture::encoder_decoder);

// The registered objective with these options set; an unknown or unused setting is a std::logic_error.
std::shared_ptr<Objective> make_objective(const std::string& name,
                                          const Settings& settings,
                                          const ObjectiveContext& context);

Stream stream_of(uint64_t sample, uint64_t seed = 1);
std::vector<int64_t> ids_between(int64_t low, int64_t high, int64_t count, uint64_t seed);

// An example with its first sequence and its first target laid open.
struct Shown {
  std::vector<int64_t> ids, token_types;
  std::vector<int64_t> target;             // the second sequence of a source and a target
  std::vector<int64_t> positions, labels;  // of the first target
  std::vector<int64_t> unlabeled;          // positions of `target` that are not predicted
  std::vector<float> values;
  Example example;

  operator const Example&() const { return example; }  // NOLINT(google-explicit-constructor)
};
Shown shown(Example example);
// The text of a stream: what is read, and the last label.
std::vector<int64_t> stream_text(const Example& example);

// What data/batches/collate.h makes of examples: as they are, or with a decoder for a source and a target.
Batch batch_of(const std::vector<Example>& examples, const std::vector<Slot>& slots = {{.name = "labels"}});

// State = embedding of the id + embedding of the position (+ for a decoder its source's mean): learns
// anything by heart, and nothing flows between positions.
class TinyModel final : public Model {
 public:
  TinyModel(Architecture architecture, int64_t vocabulary, int64_t width = 16);

  Architecture architecture() const override { return architecture_; }
  int64_t width() const override { return embedding_.size(1); }
  int64_t vocab_rows() const override { return embedding_.size(0); }
  int64_t max_length() const override { return positions_.size(0); }
  std::vector<ModelPart> parts() const override {
    return {{.name = "embeddings", .prefixes = {"embedding", "positions"}},
            {.name = "head", .kind = PartKind::projection, .prefixes = {"head", "bias"}}};
  }
  Tensor hidden(const Inputs& inputs) override;
  Tensor encode(const Inputs& inputs) override;
  Projection project(const Tensor& rows) override;
  double train_flops(const SequenceLengths&, double) const override { return 0; }

 private:
  Tensor embed(const Tensor& ids, const Sequences& sequences) const;

  Architecture architecture_;
  Tensor embedding_, positions_, head_, bias_;
};

// Mean loss before and after `steps` of gradient descent on one batch, and the share of right answers then.
struct Overfit {
  double first = 0;
  double last = 0;
  double accuracy = 0;
};
Overfit overfit(Objective& objective, Model& model, const Batch& batch, int64_t steps = 200);

// Pearson's chi-squared for observed counts and their probabilities.
double chi_squared(const std::vector<int64_t>& observed, const std::vector<double>& probabilities);
// The value that chi-squared exceeds with the probability of five sigma (Wilson and Hilferty, 1931).
double chi_squared_limit(int64_t degrees_of_freedom);
// Five standard deviations of the count of successes.
double five_sigma(double trials, double probability);

}  // namespace lmzoo::test
