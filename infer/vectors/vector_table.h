// Words and their vectors, whatever made them: a file, a word2vec run, the token embeddings or the states of
// a transformer. What neighbors, analogies and similarities are asked of.
//
// Legend: V words, D width.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/tensor.h"
#include "io/word_vectors.h"

namespace lmzoo {

class VectorTable {
 public:
  // Rows by descending frequency, as all sources have them. Every word is there once. Values are not copied.
  explicit VectorTable(WordVectors vectors);
  VectorTable(std::vector<std::string> words, const Tensor& vectors);
  VectorTable(VectorTable&&) = default;
  VectorTable& operator=(VectorTable&&) = default;

  int64_t size() const { return vectors_.size(0); }   // V
  int64_t width() const { return vectors_.size(1); }  // D
  const std::vector<std::string>& words() const { return words_; }
  const std::string& word(int64_t row) const { return words_[static_cast<size_t>(row)]; }
  std::optional<int64_t> row_of(std::string_view word) const;

  const Tensor& vectors() const { return vectors_; }        // [V, D] float32 on the CPU
  const Tensor& inverse_norms() const { return inverse_; }  // [V]: 1 / length; 0 for a row of zeros

  // How a word without a row gets a vector [D], as from its pieces; an undefined tensor: it gets none.
  using Composer = std::function<Tensor(const std::string&)>;
  void compose_with(Composer composer) { composer_ = std::move(composer); }
  Tensor compose(const std::string& word) const { return composer_ ? composer_(word) : Tensor(); }
  // [D]: the word's row, the row of its lower-case form, or what the composer makes; undefined: there is
  // none.
  Tensor vector_of(const std::string& word) const;

  // The rows among the first `candidates` (0: all) that are equal to `word` when case is folded, ascending.
  std::vector<int64_t> rows_of_folded(const std::string& word, int64_t candidates) const;

 private:
  void index();

  std::vector<std::string> words_;
  Tensor vectors_, inverse_;
  std::unordered_map<std::string_view, int64_t> rows_;
  mutable std::unordered_map<std::string, std::vector<int64_t>> folded_;  // made when it is first asked for
  Composer composer_;
};

// Lower case by Unicode, runs of white space one space, none at the ends.
std::string folded(std::string_view text);

}  // namespace lmzoo
