// A sentence to the groups that the kernels take: sub-sampling, dynamic windows, negatives or tree nodes.
//
//   skip-gram   inputs: the words around; outputs: the word and its negatives, or its tree nodes
//               (share_negatives none: a group for each word around)
//   cbow        the same, for the kernel `bag`
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/words/alias_table.h"
#include "base/words/fast_random.h"
#include "base/words/huffman.h"
#include "base/words/ngrams.h"
#include "objectives/parts/word_options.h"

namespace lmzoo {

// What all threads share.
struct WordTask {
  WordTask(const WordOptions& word_options, bool cbow, std::span<const int64_t> counts);

  WordOptions options;
  bool is_cbow;
  std::vector<uint32_t> keep;  // bounds of 32 random bits, for each word
  std::optional<AliasTable> noise;
  std::optional<HuffmanTree> tree;
  std::optional<NgramTable> ngrams{};  // set by whoever has the words

  int64_t words() const { return static_cast<int64_t>(keep.size()); }
  int64_t most_inputs() const { return 2 * options.window; }
  int64_t most_outputs() const { return tree ? tree->longest() + 1 : options.negatives + 1; }
};

// Rows by number. Each row stands once, with how often it counts.
struct IdGroup {
  std::vector<int32_t> inputs, outputs;
  std::vector<float> input_times, output_times, labels;
  int32_t ahead = -1;  // a word that later groups will read as input; -1: none
  float pairs = 0;     // predictions in it: Σ input_times, for cbow 1
};

class GroupMaker {
 public:
  explicit GroupMaker(const WordTask& task) : task_(task), random_(0) {}

  // Ids from keep.size() on are unknown words and are dropped.
  void begin(std::span<const int64_t> sentence, uint64_t seed);
  int64_t kept() const { return static_cast<int64_t>(kept_.size()); }
  bool next(IdGroup& group);

 private:
  void enter_center();
  void add_inputs(IdGroup& group);
  void add_outputs(IdGroup& group);
  void draw_negatives();

  const WordTask& task_;
  FastRandom random_;
  std::vector<int32_t> kept_;
  int64_t center_ = -1;
  int64_t at_ = 0, end_ = 0;  // words around the center that are still to come
  std::vector<int32_t> negatives_;
};

}  // namespace lmzoo
