// Whatever has vectors of words, as one table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "core/registry.h"
#include "infer/vectors/vector_table.h"

namespace lmzoo {

struct TableSource {
  std::string path;                  // a file of word vectors, a word2vec run, or a run of any other model
  std::optional<int64_t> layer{};    // other models: states of this layer instead of the token embedding
  std::vector<std::string> words{};  // other models: rows, instead of the tokens of the vocabulary
  int64_t limit = 0;                 // files and word2vec runs: only so many first words; 0: all
  std::string device{};              // other models
};
VectorTable load_table(const TableSource& source, const Registry& registry, const Progress& progress = {});

// A word a line; what follows a tab is ignored, so that a run's words.tsv is such a list.
std::vector<std::string> read_word_list(const std::string& path);

// The mean of the vectors of a text's words, [D]; undefined when none has one. Words are parted by white
// space, and a word that has no row is looked up once more without punctuation around it.
Tensor mean_of_words(const VectorTable& table, const std::string& text);

}  // namespace lmzoo
