#include "infer/vectors/contextual.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "base/check.h"
#include "base/utf8.h"
#include "infer/vectors/vector_table.h"
#include "train/start/embedding_start.h"

namespace lmzoo {
namespace {

// Letters, digits and everything beyond ASCII belong to words.
bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

Tensor unit_rows(const Tensor& rows) {
  return rows / at::linalg_vector_norm(rows, 2, at::IntArrayRef{-1}, /*keepdim=*/true).clamp_min(1e-30);
}

// Mean over the pairs of different rows [n, D] of their cosine: (|Σ u|² - n) / n(n - 1).
double mean_cosine(const Tensor& rows) {
  const Tensor sum = unit_rows(rows.to(at::kDouble)).sum(0);
  const auto n = static_cast<double>(rows.size(0));
  return (sum.square().sum().item<double>() - n) / (n * (n - 1));
}

// What is asked of the model: sentences that hold the word, and which of their tokens it is.
struct AskedWords {
  std::vector<ReadText> texts;
  std::vector<std::pair<int64_t, int64_t>>
      tokens;  // of each occurrence: [first, end) of its text's own tokens
};

AskedWords find_occurrences(const LoadedRun& run,
                            const std::vector<std::string>& sentences,
                            Contextual& points) {
  const Tokenizer& tokenizer = *run.tokenizer;
  const int64_t longest = run.parts.model->max_length();
  const size_t prefix = tokenizer.decode(tokenizer.encode(run.parts.reading.text(""))).size();
  AskedWords asked;
  for (const std::string& sentence : sentences) {
    const std::vector<int64_t> ids = tokenizer.encode(run.parts.reading.text(sentence));
    const std::string text = tokenizer.decode(ids);
    auto ranges = find_word(text, points.word);
    std::erase_if(ranges, [&](const auto& range) { return range.first < prefix; });
    if (ranges.empty()) {
      continue;
    }
    asked.texts.push_back(read_text(run.parts, ids));
    check(std::ssize(asked.texts.back().ids) <= longest,
          "'{}' has {} positions, but the model takes at most {}",
          printable(sentence, 40),
          asked.texts.back().ids.size(),
          longest);
    for (const auto& [begin, end] : ranges) {
      points.occurrences.push_back({.sentence = points.sentences.size(), .begin = begin, .end = end});
      asked.tokens.push_back(tokens_of_range(tokenizer, ids, {begin, end}));
    }
    points.sentences.push_back(text);
  }
  return asked;
}

// The word's states [n, D] after every layer.
std::vector<Tensor> states_of_layers(Model& model, const AskedWords& asked, const Contextual& points) {
  std::vector<std::vector<Tensor>> rows;  // per layer
  size_t next = 0;
  for_each_states(model, asked.texts, [&](size_t text, const std::vector<Tensor>& layers) {
    rows.resize(layers.size());
    for (; next < points.occurrences.size() && points.occurrences[next].sentence == text; ++next) {
      const auto [first, end] = asked.tokens[next];
      for (size_t layer = 0; layer < layers.size(); ++layer) {
        rows[layer].push_back(layers[layer].narrow(0, asked.texts[text].begin + first, end - first).mean(0));
      }
    }
  });
  std::vector<Tensor> states;
  for (const std::vector<Tensor>& layer : rows) {
    states.push_back(at::stack(layer));
  }
  return states;
}

}  // namespace

std::vector<std::pair<size_t, size_t>> find_word(const std::string& text, const std::string& word) {
  std::vector<std::pair<size_t, size_t>> ranges;
  for (size_t i = 0; !word.empty() && i + word.size() <= text.size(); ++i) {
    const size_t end = i + word.size();
    const bool alone = (i == 0 || !is_word_byte(text[i - 1]) || !is_word_byte(word.front())) &&
                       (end == text.size() || !is_word_byte(text[end]) || !is_word_byte(word.back()));
    const bool equal = std::equal(
        word.begin(), word.end(), text.begin() + static_cast<std::ptrdiff_t>(i), [](char a, char b) {
          return lower(a) == lower(b);
        });
    if (alone && equal) {
      ranges.emplace_back(i, end);
      i = end - 1;
    }
  }
  return ranges;
}

std::pair<int64_t, int64_t> tokens_of_range(const Tokenizer& tokenizer,
                                            std::span<const int64_t> ids,
                                            std::pair<size_t, size_t> range) {
  int64_t first = -1, end = 0;
  size_t before = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    const size_t after = std::max(before, tokenizer.decode(ids.first(i + 1)).size());
    if (after > range.first && before < range.second) {
      first = first < 0 ? static_cast<int64_t>(i) : first;
      end = static_cast<int64_t>(i) + 1;
    }
    before = after;
  }
  return {std::max<int64_t>(first, 0), std::max<int64_t>(end, 1)};
}

Tensor Principal::coordinates(const Tensor& rows) const {
  return at::matmul(rows.to(at::kDouble) - mean, directions.t());
}

Principal principal_components(const Tensor& rows, int64_t count) {
  const Tensor exact = rows.to(at::kDouble);
  const Tensor mean = exact.mean(0);
  const auto [u, s, directions] = at::linalg_svd(exact - mean, /*full_matrices=*/false);
  const int64_t found = std::min(count, s.size(0));
  Principal result{.mean = mean, .directions = at::zeros({count, rows.size(1)}, at::kDouble)};
  for (int64_t k = 0; k < found; ++k) {
    const Tensor direction = directions[k];
    const Tensor largest = direction[direction.abs().argmax()];
    result.directions[k].copy_(largest.item<double>() < 0 ? -direction : direction);
  }
  const auto total = s.square().sum().item<double>();
  result.explained = total > 0 ? s.narrow(0, 0, found).square().sum().item<double>() / total : 0;
  return result;
}

Contextual contextual_points(const LoadedRun& run,
                             const std::string& word,
                             const std::vector<std::string>& sentences,
                             std::optional<int64_t> layer) {
  const at::NoGradGuard no_grad;
  Contextual points{.word = word};
  Model& model = *run.parts.model;
  const AskedWords asked = find_occurrences(run, sentences, points);
  check(points.occurrences.size() >= 2,
        "'{}' stands {} times in the sentences, but at least two are needed",
        printable(word),
        points.occurrences.size());
  const std::vector<Tensor> states = states_of_layers(model, asked, points);
  points.layer = layer.value_or(std::ssize(states) - 1);
  check(points.layer >= 0 && points.layer < std::ssize(states),
        "layer {} is not there: the model has 0 (the embedding) to {}",
        points.layer,
        states.size() - 1);
  for (const Tensor& of_layer : states) {
    points.self_similarity.push_back(mean_cosine(of_layer));
  }

  const Tensor table = token_embedding(model).detach().to(at::kCPU, at::kFloat);
  const std::vector<int64_t> tokens = run.tokenizer->encode(word);
  const Tensor fixed =
      table.index_select(0, at::tensor(tokens, at::kLong)).mean(0, /*keepdim=*/true);  // [1, D]
  const Tensor units = unit_rows(states[static_cast<size_t>(points.layer)]);           // [n, D]
  const Tensor anchor = unit_rows(fixed);
  check(anchor.size(1) == units.size(1), "the token embedding has another width than the layers");
  const Principal shown = principal_components(units, 2);
  const Tensor coordinates = shown.coordinates(at::cat({units, anchor}));
  points.explained = shown.explained;
  const Tensor cosines = at::matmul(units, anchor[0]);
  for (size_t i = 0; i < points.occurrences.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    points.occurrences[i].x = coordinates[row][0].item<double>();
    points.occurrences[i].y = coordinates[row][1].item<double>();
    points.occurrences[i].cosine_to_static = cosines[row].item<double>();
  }
  points.static_x = coordinates[-1][0].item<double>();
  points.static_y = coordinates[-1][1].item<double>();
  return points;
}

}  // namespace lmzoo
