// Vectors of a word2vec run whose model has n-grams (base/words/ngrams.h): of its words, and of all others.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/words/ngrams.h"
#include "io/safetensors.h"

namespace lmzoo {

class NgramVectors {
 public:
  // `path` is a word2vec run or a checkpoint folder in one; null when its model has no n-grams. The rows stay
  // in the checkpoint's file, which is mapped.
  static std::shared_ptr<const NgramVectors> open(const std::string& path);

  int64_t width() const { return width_; }
  bool lower() const { return lower_; }  // whether the run reads its text in lower case

  // to [width] = the mean of the rows of the word's n-grams and, if it is one of the run's, of its own row.
  // false: it has neither (a word shorter than ngrams.min).
  bool compose(std::string_view word, std::optional<int64_t> row, std::span<float> to) const;

 private:
  NgramVectors(const std::string& checkpoint, const NgramOptions& options, bool lower);
  std::span<const float> table(std::string_view name);

  SafetensorsFile file_;
  NgramOptions options_;
  bool lower_;
  int64_t width_ = 0;
  std::span<const float> tokens_, ngrams_;  // [V, width], [buckets, width]
};

}  // namespace lmzoo
