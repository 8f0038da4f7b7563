// One thread's work, in rounds: sentences to groups of rows, then groups to kernels.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "nn/words/kernels.h"
#include "nn/words/scratch.h"
#include "train/words/composed_inputs.h"
#include "train/words/corpus.h"
#include "train/words/groups.h"
#include "train/words/rows.h"

namespace lmzoo {

// Sums of a step; losses are of a sample of its groups.
struct WordStepSums {
  int64_t words = 0;   // read
  int64_t groups = 0;  // computed
  double pairs = 0;    // predictions trained
  double loss = 0;
  double loss_pairs = 0;
};

// What a step is computed with.
struct WordStepPlan {
  float lr = 0;
  uint64_t seed = 0;
  uint64_t epoch = 0;
};

class WordWorker {
 public:
  WordWorker(const WordTask& task, const WordCorpus& corpus, const WordTables& tables);

  // A round: begin, collect sentences, find where `rows` are, train.
  void begin(RoundRows& rows);
  void collect(const Sentence& sentence, const WordStepPlan& plan, RoundRows& rows, WordStepSums& sums);
  // Trains the groups in the order in which they were collected.
  void train(const RoundRows& rows, float lr, WordStepSums& sums);

 private:
  // A group of the round: where its numbers begin, and how many.
  struct Span {
    size_t place = 0;
    size_t times = 0;
    size_t label = 0;
    size_t input = 0;  // with n-grams: of row_counts_
    int32_t inputs = 0;
    int32_t outputs = 0;
    int32_t input_rows = 0;   // as many as inputs, or more with n-grams
    int32_t rows_before = 0;  // of the round, that earlier groups have met
    float pairs = 0;
  };
  void append(RoundRows& rows);
  void compute(const Span& span, float* const* located, std::span<float* const> next);
  void measure(const Span& span, WordStepSums& sums);

  const WordTask& task_;
  const WordCorpus& corpus_;
  const WordKernels& kernels_;
  GroupMaker groups_;
  OwnedScratch scratch_;
  WordStep step_;
  int64_t words_;
  std::vector<int64_t> ids_;
  IdGroup group_;

  std::optional<ComposedInputs> composed_;  // with n-grams

  std::vector<Span> spans_;
  std::vector<int32_t> places_;  // of a group's rows: inputs, then outputs
  std::vector<float> times_;     // inputs, then outputs
  std::vector<float> labels_;
  std::vector<int32_t> row_counts_;  // with n-grams: of each input
  std::vector<float*> pointers_;     // of the group at hand
};

}  // namespace lmzoo
