// What a word of the text costs, and how fast it is learned.
#pragma once

#include "base/vocabulary.h"
#include "train/config/run_config.h"

namespace lmzoo {

// lr · (1 - share of the text that is read), but at least min_lr and a ten-thousandth of lr.
double word_learning_rate(const RunConfig& config, int64_t step, int64_t steps);

// What a word of the text costs, before frequent words are left out.
struct WordVectorWork {
  double labels_per_word = 0;
  double flops_per_word = 0;
  int64_t words_per_step = 0;
};
WordVectorWork word_vector_work(const RunConfig& config, const Vocabulary& vocabulary);

}  // namespace lmzoo
