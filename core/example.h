// What an objective makes of a sample: the sequences that a model reads, in one of three layouts, and what is
// predicted of them, in slots that the objective owns. No tensors; data/batches/collate.h makes tensors of it.
//
// A slot is one kind of prediction: the ids under the masks, the class of the pair, the ends of an answer. It
// states once how its targets look; the targets of an example name their slot. One input may have any number of
// slots, each with a loss of its own (next-sentence beside masked LM), and examples of different objectives may
// stand in one batch.
//
// Legend: K targets of a slot, r rows that each reads, w labels (or numbers) of each.
#pragma once

#include <any>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lmzoo {

// How the sequences stand to each other and to the architecture.
enum class Layout {
  in_place,       // read as they are; predictions are made at them
  source_target,  // the first is read whole and the second is written (span corruption, translation)
  stream,         // every position sees the ones before it only (next token)
};

// What a target belongs to.
enum class Level {
  position,  // rows of a sequence
  sequence,  // one of the example's sequences
  group,     // all sequences of the example together (choices, pairs)
};

enum class Predicts {
  ids,      // of the vocabulary, by the model's own head
  classes,  // by a head of the objective
  rows,     // positions of the sequence itself: the ends of an answer
  numbers,
};

struct Slot {
  std::string name;
  Level level = Level::position;
  Predicts predicts = Predicts::ids;
  int64_t reads = 1;                   // r, at Level::position
  int64_t width = 1;                   // w
  std::vector<std::string> classes{};  // names, where they are the objective's own and not those of the data

  bool operator==(const Slot&) const = default;
};

// Targets of one slot in one sequence of the example; an example may have several of one slot.
//
// `at`, at Level::position: the positions whose states predict, ascending and r for each target. Of the second
// sequence of a source_target they count positions of the target itself, ascending: which row predicts target[t] is
// the architecture's matter.
struct Target {
  int64_t slot = 0;
  int64_t sequence = 0;
  std::vector<int64_t> at{};      // [K · r]
  std::vector<int64_t> labels{};  // [K · w] ids, classes or rows
  std::vector<float> values{};    // [K · w] numbers
  std::vector<float> weights{};   // [K]; empty: 1 each
};

struct TokenSequence {
  std::vector<int64_t> ids;
  std::vector<int64_t> token_types{};  // empty: all 0
};

struct Example {
  Layout layout = Layout::in_place;
  std::vector<TokenSequence> sequences;
  std::vector<Target> targets{};
  bool sees_both_sides = false;  // in place, on a decoder-only model: attention is full, not causal
  std::any note{};               // the objective's own, for its predictions
};

// Where in training a sample stands, a function of its index: for what changes by step (a masking rate). Of an
// evaluation, which must not change by step, `step` is 0.
struct TrainingPlace {
  int64_t step = 0;        // the update that it takes part in, from 1
  int64_t steps = 0;       // of the whole run; 0: unknown
  bool evaluates = false;  // the sample is measured on, not learned from

  double share() const {  // done before this step, in [0, 1)
    return step > 0 && steps > 0 ? static_cast<double>(step - 1) / static_cast<double>(steps) : 0;
  }
};

// Labels of slot 0 at positions of one sequence. (masked LM)
Example in_place(std::vector<int64_t> ids, std::vector<int64_t> at, std::vector<int64_t> labels);
// A source and a target, both complete with their end symbols; every position of the target is predicted (slot 0) but
// for `unlabeled` ones, which ascend. (span corruption, text to text)
Example source_target(std::vector<int64_t> source,
                      std::vector<int64_t> target,
                      std::span<const int64_t> unlabeled = {});
// Every id predicts the next one (slot 0); the first `given` are read and not predicted (the first never is). The last
// id is only predicted: the sequence is one shorter, unless it has one id alone.
Example next_tokens(std::vector<int64_t> ids, int64_t given = 1);

}  // namespace lmzoo
