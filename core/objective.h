// WHAT is predicted: an objective is a pure function of (sample, random stream) to one of a few forms, and a
// loss over the batch that the adapter (data/collate) makes of them for an architecture.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <torch/nn/module.h>

#include "core/batch.h"
#include "core/model.h"
#include "core/rng.h"
#include "core/vocabulary.h"

namespace lmzoo {

// A piece of text as the loader cuts it: content ids only, no special ones (the objective adds its own).
struct Sample {
  std::vector<int64_t> ids;
  int64_t label = -1;  // class index, for data with labels
};

// Labels at chosen positions of the same sequence; positions ascend. (masked LM, tagging)
struct InPlace {
  std::vector<int64_t> ids;
  std::vector<int64_t> positions;  // [k]
  std::vector<int64_t> labels;     // [k]
};
// Source and target, both complete with their end symbols; the adapter shifts. (span corruption, translation)
struct SequenceToSequence {
  std::vector<int64_t> source;
  std::vector<int64_t> target;
  std::vector<int64_t> unlabeled{};  // ascending positions of `target` without a loss; usually none
};
// Every id predicts the next one. (next token)
struct TokenStream {
  std::vector<int64_t> ids;
};
// One label for the whole sequence. (classification)
struct Labeled {
  std::vector<int64_t> ids;
  int64_t label = 0;
};
using Example = std::variant<InPlace, SequenceToSequence, TokenStream, Labeled>;

enum class FormKind { in_place, sequence_to_sequence, token_stream, labeled };  // in the order of Example

// Lengths that follow from data.sequence_length; what `plan` shows.
struct ObjectiveLengths {
  int64_t raw = 0;     // content ids of one full window
  int64_t source = 0;  // ids the encoder (or only stack) reads
  int64_t target = 0;  // ids of the target; 0 when the form has none
  int64_t added = 0;   // positions a sample takes beyond its own ids (special symbols); for packed windows
};

// A loss as sum and count: sums add over micro-batches, ranks and evaluation, and are divided once.
struct LossSums {
  Tensor sum;         // [] with gradient
  int64_t count = 0;  // labels
  std::vector<std::pair<std::string, Tensor>>
      metrics;  // further sums over the same labels, [] without gradient,
                // e.g. {"correct", 17}; divided by count they are means
};

class Objective : public torch::nn::Module {
 public:
  using torch::nn::Module::Module;

  virtual FormKind form() const = 0;
  virtual ObjectiveLengths lengths() const = 0;
  virtual Example example(const Sample& sample, Stream& stream) const = 0;
  virtual LossSums loss(Model& model, const Batch& batch) = 0;
};

}  // namespace lmzoo
