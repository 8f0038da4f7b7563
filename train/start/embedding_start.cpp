#include "train/start/embedding_start.h"

#include <cmath>
#include <cstdio>
#include <numbers>
#include <unordered_map>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"
#include "base/rng.h"
#include "text/words/split.h"
#include "train/start/word_vectors.h"

namespace lmzoo {
namespace {

constexpr std::string_view kWordMark = "\xE2\x96\x81";  // ▁

std::string lower(std::string_view word) {
  WordSplitter words({.lower = true, .punctuation = Punctuation::keep}, word);
  std::string_view first;
  return words.next(first) ? std::string(first) : std::string();
}

// Tokens and the rows of the vectors that are theirs; of several spellings the exact one, then the lower-case
// one.
struct Matches {
  std::vector<int64_t> ids, rows;  // M
};

Matches match_words(const std::vector<TokenWord>& tokens, const WordVectors& vectors) {
  std::unordered_map<std::string_view, int64_t> rows;
  rows.reserve(vectors.words.size());
  for (size_t i = 0; i < vectors.words.size(); ++i) {
    rows.emplace(vectors.words[i], static_cast<int64_t>(i));
  }
  Matches matches;
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].word.empty() || !tokens[id].begins_word) {
      continue;
    }
    auto found = rows.find(tokens[id].word);
    found = found != rows.end() ? found : rows.find(lower(tokens[id].word));
    if (found != rows.end()) {
      matches.ids.push_back(static_cast<int64_t>(id));
      matches.rows.push_back(found->second);
    }
  }
  return matches;
}

// [rows, columns] of orthonormal columns, uniformly drawn; rows >= columns.
Tensor random_directions(int64_t rows, int64_t columns, uint64_t seed) {
  Tensor normal = at::empty({rows, columns}, at::kDouble);
  Stream stream({.seed = seed, .sample = 2, .purpose = Purpose::initialization});
  auto* const values = normal.mutable_data_ptr<double>();
  for (int64_t i = 0; i < rows * columns; ++i) {  // Box and Muller
    const double radius = std::sqrt(-2 * std::log(1 - stream.uniform()));
    values[i] = radius * std::cos(2 * std::numbers::pi * stream.uniform());
  }
  return std::get<0>(at::linalg_qr(normal));
}

// [M, S] -> [M, D].
Tensor project(const Tensor& vectors, int64_t width, VectorProjection projection, uint64_t seed) {
  const int64_t from = vectors.size(1);
  if (from == width) {
    return vectors;
  }
  if (from < width) {
    return at::matmul(vectors, random_directions(width, from, seed).t());
  }
  if (projection == VectorProjection::random) {
    return at::matmul(vectors, random_directions(from, width, seed));
  }
  const Tensor centered = vectors - vectors.mean(0, /*keepdim=*/true);
  const Tensor directions = std::get<1>(at::linalg_eigh(at::matmul(centered.t(), centered)));  // ascending
  return at::matmul(centered, directions.narrow(1, from - width, width).flip(1));
}

double root_mean_square(const Tensor& values) {
  return values.to(at::kDouble).square().mean().sqrt().item<double>();
}

}  // namespace

Tensor token_embedding(const Model& model) {
  const auto parameters = model.named_parameters();
  const Tensor* weight = parameters.find("tokens.weight");
  check(weight != nullptr && weight->dim() == 2, "the model has no token embedding tokens.weight");
  return *weight;
}

std::vector<TokenWord> token_words(const Tokenizer& tokenizer) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  std::vector<TokenWord> tokens(static_cast<size_t>(vocabulary.size));
  bool marked = false;
  for (int64_t id = 0; id < vocabulary.size; ++id) {
    if (!vocabulary.is_special(id) && vocabulary.unk != id) {
      tokens[static_cast<size_t>(id)].word = tokenizer.piece(id);
      marked |= tokens[static_cast<size_t>(id)].word.starts_with(kWordMark);
    }
  }
  for (TokenWord& token : tokens) {
    const bool has_mark = token.word.starts_with(kWordMark);
    token.begins_word = !marked || has_mark;
    if (has_mark && token.word.size() > kWordMark.size()) {
      token.word.erase(0, kWordMark.size());
    }
  }
  return tokens;
}

EmbeddingStartReport start_embedding(Model& model,
                                     const Tokenizer& tokenizer,
                                     const EmbeddingStartOptions& options,
                                     uint64_t seed) {
  const at::NoGradGuard no_grad;
  WordVectors vectors = load_word_vectors({.path = options.from, .limit = options.limit}).table;
  const std::vector<TokenWord> tokens = token_words(tokenizer);
  const Matches matches = match_words(tokens, vectors);
  EmbeddingStartReport report{.from = options.from, .words = vectors.size()};
  for (const TokenWord& token : tokens) {
    report.tokens += token.word.empty() ? 0 : 1;
  }
  report.matched = std::ssize(matches.ids);
  check(report.matched > 0, "{}: none of its {} words is a token of this run", options.from, report.words);

  Tensor table = token_embedding(model);  // [V, D]
  report.width_from = vectors.width;
  report.width_to = table.size(1);
  const Tensor all = at::from_blob(vectors.values.data(), {vectors.size(), vectors.width}, at::kFloat);
  const Tensor found = all.index_select(0, at::tensor(matches.rows)).to(at::kDouble);  // [M, S]
  Tensor rows = project(found, report.width_to, options.projection, seed);             // [M, D]
  const double size = root_mean_square(rows);
  report.scale = options.scale.value_or(size > 0 ? root_mean_square(table) / size : 1);
  rows = (rows * report.scale).to(table.options());
  table.index_copy_(0, at::tensor(matches.ids).to(table.device()), rows);
  return report;
}

std::string to_text(const EmbeddingStartReport& report) {
  char numbers[96];
  std::snprintf(numbers,
                sizeof numbers,
                " (%.1f %%)",
                100.0 * static_cast<double>(report.matched) / static_cast<double>(report.tokens));
  return fmt::format("{} of {} tokens{} begin with vectors of {} ({} -> {} dimensions, times {:g})",
                     report.matched,
                     report.tokens,
                     numbers,
                     report.from,
                     report.width_from,
                     report.width_to,
                     report.scale);
}

}  // namespace lmzoo
