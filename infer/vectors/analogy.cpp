#include "infer/vectors/analogy.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>

#include "base/check.h"
#include "base/utf8.h"
#include "infer/vectors/neighbors.h"

namespace lmzoo {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr int64_t kLanes = 4;
using Lanes = float __attribute__((vector_size(4 * kLanes)));
constexpr int64_t kStep = 4 * kLanes;  // candidates a turn: four independent maxima hide the latency of one
constexpr int64_t kLongestBlock = 2048;
constexpr int64_t kBlockCosines = int64_t{1} << 22;  // 16 MiB: question words times candidates of a block

// Rows of a word in any allowed form; the first is the one that is asked.
std::vector<int64_t> rows_of(const VectorTable& table,
                             const std::string& word,
                             const AnalogyOptions& options) {
  if (options.fold_case) {
    return table.rows_of_folded(word, options.candidates);
  }
  const std::optional<int64_t> row = table.row_of(word);
  const bool known = row && *row < candidate_count(table, options.candidates);
  return known ? std::vector{*row} : std::vector<int64_t>{};
}

// A question in numbers: its words among those of all questions, and rows that are no answer.
struct Asked {
  int64_t a = 0, b = 0, c = 0;
  std::vector<int64_t> excluded{};
  float best = kNever;
  int64_t answer = -1;
};

// Cosines of the words a, b, c with the candidates of a block.
struct Trio {
  const float *a, *b, *c;
};

Lanes load(const float* from) {
  Lanes x;
  std::memcpy(&x, from, sizeof(x));
  return x;
}

// Scores of `count` candidates, a multiple of kStep, into `scores`. For `mul` the cosines are shifted to [0,
// 1].
void score_block(const Trio& trio, const AnalogyOptions& options, int64_t count, float* scores) {
  const auto epsilon = static_cast<float>(options.epsilon);
  for (int64_t j = 0; j < count; j += kLanes) {
    const Lanes a = load(trio.a + j), b = load(trio.b + j), c = load(trio.c + j);
    const Lanes score = options.method == AnalogyMethod::add ? b - a + c : b * c / (a + epsilon);
    std::memcpy(scores + j, &score, sizeof(score));
  }
}

// The place of the largest of `count` scores, the first of equal ones, when it is over `bound`; else -1.
int64_t find_over(const float* scores, int64_t count, float bound) {
  Lanes best[kStep / kLanes];
  std::fill(std::begin(best), std::end(best), Lanes{} + bound);
  for (int64_t j = 0; j < count; j += kStep) {
    for (int64_t k = 0; k < kStep / kLanes; ++k) {
      const Lanes score = load(scores + j + k * kLanes);
      best[k] = score > best[k] ? score : best[k];
    }
  }
  float largest = bound;
  for (const Lanes& lanes : best) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      largest = std::max(largest, lanes[lane]);
    }
  }
  return largest > bound ? std::find(scores, scores + count, largest) - scores : -1;
}

class Examiner {
 public:
  Examiner(const VectorTable& table, const AnalogyOptions& options)
      : table_(table), options_(options), candidates_(candidate_count(table, options.candidates)) {}

  void ask(const std::array<std::vector<int64_t>, 4>& rows) {
    Asked asked{.a = local(rows[0].front()), .b = local(rows[1].front()), .c = local(rows[2].front())};
    for (size_t i = 0; i < 3; ++i) {
      asked.excluded.insert(asked.excluded.end(), rows[i].begin(), rows[i].end());
    }
    asked_.push_back(std::move(asked));
  }

  const std::vector<Asked>& answer(const Progress& progress) {
    if (asked_.empty()) {
      return asked_;
    }
    const at::NoGradGuard no_grad;
    const Tensor rows = at::tensor(rows_);
    const Tensor words = table_.vectors().index_select(0, rows) *
                         table_.inverse_norms().index_select(0, rows).unsqueeze(1);  // [U, D]
    const int64_t block =
        std::clamp(kBlockCosines / std::ssize(rows_) / kStep * kStep, 4 * kStep, kLongestBlock);
    const Tensor cosines = at::zeros({std::ssize(rows_), block});  // [U, block]
    for (int64_t begin = 0; begin < candidates_; begin += block) {
      const int64_t end = std::min(candidates_, begin + block);
      Tensor part = cosines.narrow(1, 0, end - begin);
      at::mul_out(part,
                  at::matmul(words, table_.vectors().slice(0, begin, end).t()),
                  table_.inverse_norms().slice(0, begin, end));
      if (options_.method == AnalogyMethod::mul) {
        part.add_(1).mul_(0.5);
      }
      examine(cosines, begin, end);
      if (progress) {
        progress("analogies", static_cast<double>(end) / static_cast<double>(candidates_));
      }
    }
    return asked_;
  }

 private:
  int64_t local(int64_t row) {
    const auto [found, fresh] = locals_.emplace(row, std::ssize(rows_));
    if (fresh) {
      rows_.push_back(row);
    }
    return found->second;
  }

  // Every question against the candidates [begin, end).
  void examine(const Tensor& cosines, int64_t begin, int64_t end) {
    const int64_t stride = cosines.size(1);
    const float* const all = cosines.const_data_ptr<float>();
    const int64_t count = (end - begin + kStep - 1) / kStep * kStep;
    at::parallel_for(0, std::ssize(asked_), 64, [&](int64_t first, int64_t last) {
      std::vector<float> scores(static_cast<size_t>(count));
      for (int64_t q = first; q < last; ++q) {
        Asked& asked = asked_[static_cast<size_t>(q)];
        const Trio trio{all + asked.a * stride, all + asked.b * stride, all + asked.c * stride};
        score_block(trio, options_, count, scores.data());
        std::fill(scores.begin() + (end - begin), scores.end(), kNever);
        for (const int64_t row : asked.excluded) {
          if (row >= begin && row < end) {
            scores[static_cast<size_t>(row - begin)] = kNever;
          }
        }
        const int64_t found = find_over(scores.data(), count, asked.best);
        if (found >= 0) {
          asked.best = scores[static_cast<size_t>(found)];
          asked.answer = begin + found;
        }
      }
    });
  }

  const VectorTable& table_;
  AnalogyOptions options_;
  int64_t candidates_;
  std::vector<Asked> asked_;
  std::vector<int64_t> rows_;  // of the words of all questions
  std::unordered_map<int64_t, int64_t> locals_;
};

void count(AnalogyScore& score, bool known, bool correct) {
  ++score.questions;
  score.known += known ? 1 : 0;
  score.correct += correct ? 1 : 0;
}

}  // namespace

AnalogyResult evaluate_analogies(const VectorTable& table,
                                 const AnalogySet& set,
                                 const AnalogyOptions& options,
                                 const Progress& progress) {
  Examiner examiner(table, options);
  std::vector<std::vector<int64_t>> right;  // rows of d, of each question that is asked
  std::vector<bool> known;
  for (const AnalogyQuestion& question : set.questions) {
    std::array<std::vector<int64_t>, 4> rows;
    bool all = true;
    for (size_t i = 0; i < 4; ++i) {
      rows[i] = rows_of(table, question.words[i], options);
      all = all && !rows[i].empty();
    }
    known.push_back(all);
    if (all) {
      examiner.ask(rows);
      right.push_back(rows[3]);
    }
  }
  const std::vector<Asked>& asked = examiner.answer(progress);

  AnalogyResult result;
  result.semantic.section = "semantic";
  result.syntactic.section = "syntactic";
  result.total.section = "total";
  for (const std::string& section : set.sections) {
    result.sections.push_back({.section = section});
  }
  size_t next = 0;
  for (size_t i = 0; i < set.questions.size(); ++i) {
    bool correct = false;
    result.answers.push_back(-1);
    if (known[i]) {
      result.answers.back() = asked[next].answer;
      const std::vector<int64_t>& expected = right[next++];
      correct = std::find(expected.begin(), expected.end(), result.answers.back()) != expected.end();
    }
    const size_t section = set.questions[i].section;
    count(result.sections[section], known[i], correct);
    count(set.sections[section].starts_with("gram") ? result.syntactic : result.semantic, known[i], correct);
    count(result.total, known[i], correct);
  }
  return result;
}

std::vector<AnalogyAnswer> solve_analogy(const VectorTable& table,
                                         const std::array<std::string, 3>& words,
                                         const AnalogyOptions& options,
                                         int64_t count) {
  const at::NoGradGuard no_grad;
  const int64_t candidates = candidate_count(table, options.candidates);
  const Tensor inverse = table.inverse_norms().slice(0, 0, candidates);
  std::vector<Tensor> cosines;  // of a, b, c: [candidates]
  std::vector<int64_t> excluded;
  for (const std::string& word : words) {
    const std::vector<int64_t> rows = rows_of(table, word, options);
    const Tensor vector = rows.empty() ? table.compose(word) : table.vectors()[rows.front()];
    check(vector.defined(), "'{}' has no vector", printable(word));
    const Tensor unit = vector / vector.norm().clamp_min(1e-30);
    cosines.push_back(at::matmul(table.vectors().slice(0, 0, candidates), unit).mul(inverse));
    excluded.insert(excluded.end(), rows.begin(), rows.end());
  }
  Tensor scores = options.method == AnalogyMethod::add
                      ? cosines[1] - cosines[0] + cosines[2]
                      : (cosines[1] + 1) * (cosines[2] + 1) / 4 / ((cosines[0] + 1) / 2 + options.epsilon);
  for (const int64_t row : excluded) {
    scores[row] = kNever;
  }
  const auto [best, rows] = at::topk(scores, std::min(count, candidates));
  std::vector<AnalogyAnswer> answers;
  for (int64_t i = 0; i < best.size(0); ++i) {
    const auto score = best[i].item<double>();
    if (score != static_cast<double>(kNever)) {
      answers.push_back({rows[i].item<int64_t>(), score});
    }
  }
  return answers;
}

}  // namespace lmzoo
