#include "infer/vectors/vector_table.h"

#include <memory>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "base/check.h"
#include "base/utf8.h"
#include "text/words/split.h"

namespace lmzoo {

std::string folded(std::string_view text) {
  WordSplitter words({.lower = true, .punctuation = Punctuation::keep}, text);
  std::string result;
  for (std::string_view word; words.next(word);) {
    result += result.empty() ? "" : " ";
    result += word;
  }
  return result;
}

VectorTable::VectorTable(WordVectors vectors) : words_(std::move(vectors.words)) {
  const auto values = std::make_shared<std::vector<float>>(std::move(vectors.values));
  vectors_ = at::from_blob(
      values->data(), {std::ssize(words_), vectors.width}, [values](void*) {}, at::TensorOptions(at::kFloat));
  index();
}

VectorTable::VectorTable(std::vector<std::string> words, const Tensor& vectors)
    : words_(std::move(words)), vectors_(vectors.detach().to(at::kCPU, at::kFloat).contiguous()) {
  index();
}

void VectorTable::index() {
  if (vectors_.size(0) != std::ssize(words_)) {
    throw std::logic_error("VectorTable: the vectors are not one row a word");
  }
  check(!words_.empty(), "there is no word with a vector");
  rows_.reserve(words_.size());
  for (size_t i = 0; i < words_.size(); ++i) {
    check(rows_.emplace(words_[i], static_cast<int64_t>(i)).second,
          "the word '{}' stands twice",
          printable(words_[i]));
  }
  const Tensor norms = at::linalg_vector_norm(vectors_, 2, at::IntArrayRef{1});  // [V]
  inverse_ = at::where(norms > 0, 1 / norms, at::zeros_like(norms));
}

std::optional<int64_t> VectorTable::row_of(std::string_view word) const {
  const auto found = rows_.find(word);
  return found != rows_.end() ? std::optional(found->second) : std::nullopt;
}

Tensor VectorTable::vector_of(const std::string& word) const {
  std::optional<int64_t> row = row_of(word);
  row = row ? row : row_of(folded(word));
  return row ? vectors_[*row] : compose(word);
}

std::vector<int64_t> VectorTable::rows_of_folded(const std::string& word, int64_t candidates) const {
  if (folded_.empty()) {
    folded_.reserve(words_.size());
    for (size_t i = 0; i < words_.size(); ++i) {
      folded_[folded(words_[i])].push_back(static_cast<int64_t>(i));
    }
  }
  std::vector<int64_t> rows;
  const auto found = folded_.find(folded(word));
  if (found != folded_.end()) {
    for (const int64_t row : found->second) {
      if (candidates == 0 || row < candidates) {
        rows.push_back(row);
      }
    }
  }
  return rows;
}

}  // namespace lmzoo
