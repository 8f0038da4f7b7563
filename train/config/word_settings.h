// What a configuration means when its model is word2vec, which is trained by a loop of its own: sections that
// all runs share have other defaults there, and some keys have no sense.
#pragma once

#include "base/vocabulary.h"
#include "train/config/run_config.h"

namespace lmzoo {

bool trains_word_vectors(const RunConfig& config);

// Sets what the configuration leaves open (train.epochs 5, optimizer sgd with lr 0.025, for cbow 0.05,
// schedule linear, data.sequence_length 1000, tokenizer.sentinels 0) and refuses what cannot be; for other
// models, refuses the keys that only word vectors have.
void settle_word_vectors(LoadedConfig& loaded);

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
