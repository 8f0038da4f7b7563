// WHAT is predicted: an objective is a pure function of (sample, random stream) to one of a few forms, and a
// loss over the batch that the adapter (data/collate) makes of them for an architecture.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/rng.h"
#include "base/sample.h"
#include "base/vocabulary.h"
#include "core/batch.h"
#include "core/model.h"
#include "core/module.h"

namespace lmzoo {

// Labels at chosen positions of the same sequence; positions ascend. (masked LM)
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
  int64_t given = 0;  // so many first ids are read and not predicted (the first never is)
};
// One label, or numbers, for the whole sequence. (classification, regression)
struct Labeled {
  std::vector<int64_t> ids;
  int64_t label = 0;
  std::vector<int64_t> token_types{};  // empty: all 0
  std::vector<float> values{};         // instead of `label`
};
// Classes at chosen positions, which ascend. (token classification)
struct Tagged {
  std::vector<int64_t> ids;
  std::vector<int64_t> positions;  // [k]
  std::vector<int64_t> labels;     // [k] classes
  std::vector<int64_t> words{};    // those of `positions` that are the first of a word, as indexes into it
  std::vector<int64_t> token_types{};
};
// The first and the last position of an answer. (extractive question answering)
struct Spanned {
  std::vector<int64_t> ids;
  std::vector<int64_t> token_types;
  int64_t begin = 0, end = 0;  // both inclusive
  PassagePiece piece{};
};
// One label for several sequences: which of them, or a class of them together. (multiple choice, GPT-1)
struct Choices {
  std::vector<Labeled> sequences;
  int64_t label = 0;
  bool next_tokens = false;  // every id also predicts the next one
};
using Example = std::variant<InPlace, SequenceToSequence, TokenStream, Labeled, Tagged, Spanned, Choices>;

// In the order of Example.
enum class FormKind { in_place, sequence_to_sequence, token_stream, labeled, tagged, spanned, choices };

// Whether the labels of a form are ids of the vocabulary, predicted by the model's head.
constexpr bool predicts_ids(FormKind form) { return form <= FormKind::token_stream; }

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

class Objective : public Module {
 public:
  using Module::Module;

  virtual FormKind form() const = 0;
  virtual ObjectiveLengths lengths() const = 0;
  virtual Example example(const Sample& sample, Stream& stream) const = 0;
  // All examples of a sample that is too long for one: a passage in overlapping pieces. Usually example().
  virtual std::vector<Example> examples(const Sample& sample, Stream& stream) const {
    return {example(sample, stream)};
  }
  virtual LossSums loss(Model& model, const Batch& batch) = 0;

  // Objectives of tasks say more than a loss.
  virtual bool predicts() const { return false; }
  virtual Predictions predict(Model& model, const Batch& batch);  // InputError when it does not predict
  // Both in one pass over the model: the loss is returned, the predictions are appended.
  virtual LossSums loss_and_predictions(Model& model, const Batch& batch, Predictions& predictions);
};

}  // namespace lmzoo
