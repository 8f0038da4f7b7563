// What a configuration means when its model is word2vec, which is trained by a loop of its own: sections that
// all runs share have other defaults there, and some keys have no sense.
#pragma once

#include <string_view>

#include "train/config/run_config.h"

namespace lmzoo {

// The optimizer that word vectors have, and no other model.
inline constexpr std::string_view kWordOptimizer = "sgd";

bool trains_word_vectors(const RunConfig& config);

// Sets what the configuration leaves open (train.epochs 5, optimizer.lr 0.025, for cbow 0.05, schedule
// linear, data.sequence_length 1000, tokenizer.sentinels 0) and refuses what cannot be; for other models,
// refuses the keys that only word vectors have.
void settle_word_vectors(LoadedConfig& loaded);

}  // namespace lmzoo
