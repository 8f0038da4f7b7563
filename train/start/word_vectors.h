// Word vectors from where they may lie: a file of word2vec, gensim, fastText or GloVe, or a word2vec run.
#pragma once

#include <string>

#include "base/progress.h"
#include "io/word_vectors.h"

namespace lmzoo {

// Whether `path` is a run of model type word2vec, or a checkpoint folder in one.
bool is_word2vec_run(const std::string& path);

struct WordVectorSource {
  std::string path;
  int64_t limit = 0;  // only so many first words, which are the most frequent; 0: all
};

// Words in the order of the file or of the run's vocabulary. `path` must be a file or a word2vec run.
ReadVectors load_word_vectors(const WordVectorSource& source, const Progress& progress = {});

}  // namespace lmzoo
