// WHAT is predicted: an objective is a pure function of (sample, place in training, random stream) to an example
// (core/example.h), and a loss over the batch that the adapter (data/batches/collate.h) makes of examples for an
// architecture.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/rng.h"
#include "base/sample.h"
#include "base/vocabulary.h"
#include "core/batch.h"
#include "core/example.h"
#include "core/model.h"
#include "core/module.h"
#include "core/predictions.h"

namespace lmzoo {

// What decides whether an architecture can carry an objective (data/batches/collate.h: refusal).
struct ObjectiveForm {
  Layout layout = Layout::in_place;
  bool needs_both_sides =
      false;                   // in place: predictions would see what they predict, or nothing, if attention
                               // were causal
  bool of_words = false;       // of word vectors: goes with a model of words, and nothing else does
  bool needs_another = false;  // samples come with Sample::another
  bool mixed = false;          // several objectives at once: the loss is no mean over one kind of label

  bool operator==(const ObjectiveForm&) const = default;
};

// Lengths that follow from data.sequence_length; what `plan` shows.
struct ObjectiveLengths {
  int64_t raw = 0;     // content ids of one full window
  int64_t source = 0;  // ids the encoder (or only stack) reads
  int64_t target = 0;  // ids of the target; 0 when the form has none
  int64_t added = 0;   // positions a sample takes beyond its own ids (special symbols); for packed windows
};

// The loss of one slot as a sum. Sums add over micro-batches, ranks and evaluation, and each is divided once, by the
// total of its own slot (SlotBatch::total). The loss of a step is the sum of all terms, each times its weight.
struct LossTerm {
  int64_t slot = 0;
  Tensor sum;         // [] with gradient, over the slot's targets times their weights
  double weight = 1;  // of this term in the loss
  std::vector<std::pair<std::string, Tensor>>
      metrics{};  // further sums over the same targets, [] without gradient, e.g. {"correct", 17}; divided by the
                  // total they are means
};
using Losses = std::vector<LossTerm>;

// The loss of one batch by itself, [] with gradient: its terms, each divided by its total and times its weight. A slot
// without labels adds nothing; std::logic_error when none has any.
Tensor mean_loss(const Losses& losses, const Batch& batch);

// How a stream asks for what is missing between a beginning and an end (objectives/fill_in_the_middle.cpp): three tokens,
// and whether the end is told first with the beginning going on behind it (SPM).
struct MiddleTokens {
  int64_t prefix = 0, suffix = 0, middle = 0;
  bool suffix_first = false;

  bool operator==(const MiddleTokens&) const = default;
};

// A model that an objective has beside that of the run.
struct FurtherModel {
  std::string name{};  // "generator": its weights are "objective.generator.*"
  std::string type{};  // as in the registry, with the options of that type
  AnyOptions options{};
  std::shared_ptr<Model> model{};
  std::string file{};  // of one that is only asked (a teacher) and no part of the run: what it was read from
};

class Objective : public Module {
 public:
  virtual ObjectiveForm form() const = 0;
  // The kinds of predictions, always the same; the first is the one by which labels are counted.
  virtual std::vector<Slot> slots() const { return {{.name = "labels"}}; }
  virtual ObjectiveLengths lengths() const = 0;
  // Of one that is made of several: each by name, and how much of the loss it has.
  virtual std::vector<std::pair<std::string, double>> shares() const { return {}; }
  // Whether a model that it trained can write a text by filling masks in any order: masked diffusion, which has learned
  // every share of them.
  virtual bool fills_any_share() const { return false; }
  virtual std::vector<FurtherModel> further_models() const { return {}; }
  // What stands before a text that is its own beginning, and so before one that is to be continued.
  virtual std::optional<int64_t> begins_with() const { return std::nullopt; }
  // How what is missing in the middle of a text is asked for; absent where that is not learned.
  virtual std::optional<MiddleTokens> fills_in() const { return std::nullopt; }
  virtual Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const = 0;
  // All examples of a sample that is too long for one: a passage in overlapping pieces. Usually example().
  virtual std::vector<Example> examples(const Sample& sample,
                                        const TrainingPlace& place,
                                        Stream& stream) const {
    return {example(sample, place, stream)};
  }
  // Whether some of a sample's text finds no place in its examples. As it is: when all its texts, with the longest choice,
  // have more than lengths().raw ids.
  virtual bool cuts(const Sample& sample) const;
  // A term for each slot with a loss. `stream` is of this micro-batch of this step, for losses that draw (a generator
  // that samples).
  virtual Losses loss(Model& model, const Batch& batch, Stream& stream) = 0;

  // Whether its own weights serve training alone: a finished model predicts the same without them.
  virtual bool only_trains() const { return false; }

  // Whether examples follow what the model has learned so far (docs/decisions/011-adaptive-examples.md). The loop calls
  // follow() when a run begins or goes on, and adapt() after each evaluation, both while nobody makes an example; in
  // between examples stay functions of their keys. What they follow is in buffers, so that a checkpoint holds it.
  virtual bool adapts() const { return false; }
  virtual void follow() {}  // examples follow what the buffers say
  virtual void adapt() {}   // the buffers take in what was learned since the last time, and examples follow

  // Objectives of tasks say more than a loss.
  virtual bool predicts() const { return false; }
  virtual Predictions predict(Model& model, const Batch& batch);  // InputError when it does not predict
  // Both in one pass over the model: the loss is returned, the predictions are appended.
  virtual Losses loss_and_predictions(Model& model,
                                      const Batch& batch,
                                      Stream& stream,
                                      Predictions& predictions);
};

}  // namespace lmzoo
