#include "infer/vectors/similarity.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/dot.h>

#include "metrics/correlation.h"

namespace lmzoo {

double cosine(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  const double norms = std::sqrt(at::dot(x, x).item<double>() * at::dot(y, y).item<double>());
  return norms > 0 ? at::dot(x, y).item<double>() / norms : 0;
}

Tensor find_vector(const VectorTable& table, const std::string& word, const SimilarityOptions& options) {
  const auto within = [&](int64_t row) { return options.candidates == 0 || row < options.candidates; };
  if (options.fold_case) {
    const std::vector<int64_t> rows = table.rows_of_folded(word, options.candidates);
    return rows.empty() ? table.compose(word) : table.vectors()[rows.front()];
  }
  const std::optional<int64_t> row = table.row_of(word);
  return row && within(*row) ? table.vectors()[*row] : table.compose(word);
}

SimilarityResult evaluate_similarity(const VectorTable& table,
                                     const std::vector<WordPair>& pairs,
                                     const SimilarityOptions& options) {
  const at::NoGradGuard no_grad;
  SimilarityResult result;
  std::vector<double> given, found;
  for (const WordPair& pair : pairs) {
    const Tensor a = find_vector(table, pair.first, options);
    const Tensor b = find_vector(table, pair.second, options);
    std::optional<double>& measured = result.cosines.emplace_back();
    if (a.defined() && b.defined()) {
      measured = cosine(a, b);
      given.push_back(pair.score);
      found.push_back(*measured);
    }
  }
  result.known = std::ssize(found);
  result.spearman = spearman(given, found);
  result.pearson = pearson(given, found);
  return result;
}

}  // namespace lmzoo
