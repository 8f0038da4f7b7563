#include "infer/vectors/neighbors.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "base/check.h"
#include "base/utf8.h"
#include "text/words/split.h"

namespace lmzoo {
namespace {

constexpr int64_t kBlockRows = 32'768;
constexpr int64_t kBlockQueries = 128;

Tensor at_length_one(const Tensor& rows) {  // [..., D]
  return rows / at::linalg_vector_norm(rows, 2, at::IntArrayRef{-1}, /*keepdim=*/true).clamp_min(1e-30);
}

// One query: "a b - c + d" is (a b) - c + d.
class Sum {
 public:
  Sum(const VectorTable& table, const std::string& text) : table_(table), text_(text) {
    WordSplitter words({.lower = false, .punctuation = Punctuation::keep}, text);
    std::string term;
    double sign = 1;
    for (std::string_view word; words.next(word);) {
      if (word != "+" && word != "-") {
        term += (term.empty() ? "" : " ") + std::string(word);
        continue;
      }
      add(term, sign);
      term.clear();
      sign = word == "-" ? -1 : 1;
    }
    add(term, sign);
    check(vector.defined(), "'{}' has no word", printable(text));
  }

  Tensor vector;  // [D]
  std::vector<int64_t> rows;

 private:
  void add(const std::string& term, double sign) {
    if (term.empty()) {
      check(!vector.defined() && sign == 1, "'{}': a word must stand behind each + and -", printable(text_));
      return;
    }
    const Tensor own = table_.vector_of(term);
    check(own.defined(), "'{}' has no vector", printable(term));
    const Tensor part = sign * at_length_one(own);
    vector = vector.defined() ? vector + part : part;
    for (const auto& row : {table_.row_of(term), table_.row_of(folded(term))}) {
      if (row) {
        rows.push_back(*row);
      }
    }
  }

  const VectorTable& table_;
  const std::string& text_;
};

bool before(const Neighbor& a, const Neighbor& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
}

// Adds the best of a block, `cosines` [n] of the rows from `first` on, to what was found so far.
void merge(std::vector<Neighbor>& best,
           const float* cosines,
           const std::pair<int64_t, int64_t>& rows,
           const std::vector<int64_t>& excluded,
           size_t count) {
  for (int64_t row = rows.first; row < rows.second; ++row) {
    const Neighbor neighbor{row, cosines[row - rows.first]};
    if (best.size() == count && !before(neighbor, best.back())) {
      continue;
    }
    if (std::find(excluded.begin(), excluded.end(), row) != excluded.end()) {
      continue;
    }
    best.insert(std::upper_bound(best.begin(), best.end(), neighbor, before), neighbor);
    if (best.size() > count) {
      best.pop_back();
    }
  }
}

}  // namespace

int64_t candidate_count(const VectorTable& table, int64_t candidates) {
  return candidates == 0 ? table.size() : std::min(candidates, table.size());
}

NeighborQueries parse_queries(const VectorTable& table, const std::vector<std::string>& texts) {
  NeighborQueries queries;
  std::vector<Tensor> vectors;
  for (const std::string& text : texts) {
    Sum sum(table, text);
    vectors.push_back(sum.vector);
    queries.excluded.push_back(std::move(sum.rows));
  }
  queries.vectors = vectors.empty() ? at::zeros({0, table.width()}) : at::stack(vectors);
  return queries;
}

std::vector<std::vector<Neighbor>> nearest(const VectorTable& table,
                                           const NeighborQueries& queries,
                                           const NeighborOptions& options,
                                           const Progress& progress) {
  const at::NoGradGuard no_grad;
  const int64_t candidates = candidate_count(table, options.candidates);
  const int64_t asked = queries.vectors.size(0);
  const Tensor units = at_length_one(queries.vectors.to(at::kFloat));
  std::vector<std::vector<Neighbor>> all(static_cast<size_t>(asked));
  const std::vector<int64_t> none;
  for (int64_t q = 0; q < asked; q += kBlockQueries) {
    const Tensor wanted = units.slice(0, q, q + kBlockQueries);  // [q, D]
    for (int64_t row = 0; row < candidates; row += kBlockRows) {
      const int64_t end = std::min(candidates, row + kBlockRows);
      const Tensor cosines = at::matmul(wanted, table.vectors().slice(0, row, end).t())
                                 .mul_(table.inverse_norms().slice(0, row, end));
      for (int64_t i = 0; i < wanted.size(0); ++i) {
        const auto index = static_cast<size_t>(q + i);
        merge(all[index],
              cosines.const_data_ptr<float>() + i * (end - row),
              {row, end},
              index < queries.excluded.size() ? queries.excluded[index] : none,
              static_cast<size_t>(options.count));
      }
      if (progress) {
        progress("neighbors",
                 (static_cast<double>(q) + static_cast<double>(end) / static_cast<double>(candidates) *
                                               static_cast<double>(wanted.size(0))) /
                     static_cast<double>(asked));
      }
    }
  }
  return all;
}

}  // namespace lmzoo
