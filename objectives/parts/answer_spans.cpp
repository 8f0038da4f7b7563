#include "objectives/parts/answer_spans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace lmzoo {
namespace {

// Indexes of the largest numbers, largest first.
std::vector<int64_t> largest(const std::vector<double>& numbers, int64_t count) {
  std::vector<int64_t> order(numbers.size());
  std::iota(order.begin(), order.end(), 0);
  const auto wanted = std::min<int64_t>(count, std::ssize(order));
  std::partial_sort(order.begin(), order.begin() + wanted, order.end(), [&](int64_t a, int64_t b) {
    const double x = numbers[static_cast<size_t>(a)], y = numbers[static_cast<size_t>(b)];
    return x > y || (x == y && a < b);
  });
  order.resize(static_cast<size_t>(wanted));
  return order;
}

void add_candidates(const PassagePiece& piece,
                    const PieceLogits& logits,
                    const AnswerRules& rules,
                    std::vector<AnswerCandidate>& candidates) {
  const auto is_inside = [&](int64_t position) {
    return position >= piece.offset && position < piece.offset + piece.count;
  };
  const auto id_at = [&](int64_t position) {
    return piece.passage->ids[static_cast<size_t>(piece.first + position - piece.offset)];
  };
  const std::vector<int64_t> ends = largest(logits.end, rules.candidates);
  for (const int64_t begin : largest(logits.begin, rules.candidates)) {
    for (const int64_t end : ends) {
      if (!is_inside(begin) || !is_inside(end) || end < begin || end - begin + 1 > rules.longest) {
        continue;
      }
      const ByteSpan span{id_at(begin).begin, id_at(end).end};
      candidates.push_back(
          {.span = span,
           .text = piece.passage->part(span),
           .score = logits.begin[static_cast<size_t>(begin)] + logits.end[static_cast<size_t>(end)]});
    }
  }
}

void set_probabilities(std::vector<AnswerCandidate>& candidates) {
  double sum = 0;
  double highest = -std::numeric_limits<double>::infinity();
  for (const AnswerCandidate& candidate : candidates) {
    highest = std::max(highest, candidate.score);
  }
  for (AnswerCandidate& candidate : candidates) {
    candidate.probability = std::exp(candidate.score - highest);
    sum += candidate.probability;
  }
  for (AnswerCandidate& candidate : candidates) {
    candidate.probability /= sum;
  }
}

}  // namespace

std::optional<std::pair<int64_t, int64_t>> ids_of_answer(const Passage& passage,
                                                         const ByteSpan& answer,
                                                         int64_t first,
                                                         int64_t count) {
  if (count == 0) {
    return std::nullopt;
  }
  const auto id = [&](int64_t i) { return passage.ids[static_cast<size_t>(i)]; };
  int64_t begin = first;
  int64_t end = first + count - 1;
  if (id(begin).begin > answer.begin || id(end).end < answer.end) {
    return std::nullopt;
  }
  while (begin + 1 < first + count && id(begin + 1).begin <= answer.begin) {
    ++begin;
  }
  while (end - 1 >= begin && id(end - 1).end >= answer.end) {
    --end;
  }
  return std::pair(begin, end);
}

PassageAnswer best_answers(std::span<const PassagePiece> pieces,
                           std::span<const PieceLogits> logits,
                           const AnswerRules& rules) {
  PassageAnswer answer{.passage = pieces.front().passage, .best = {}};
  // A passage has no answer only when no piece has one: the least score counts.
  double none = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < pieces.size(); ++i) {
    add_candidates(pieces[i], logits[i], rules, answer.best);
    none = std::min(none, logits[i].begin[0] + logits[i].end[0]);
  }
  std::stable_sort(
      answer.best.begin(), answer.best.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  // Overlapping pieces find the same answer twice.
  std::vector<AnswerCandidate> distinct;
  for (AnswerCandidate& candidate : answer.best) {
    const bool is_new = std::none_of(distinct.begin(), distinct.end(), [&](const AnswerCandidate& known) {
      return known.span == candidate.span;
    });
    if (is_new && std::ssize(distinct) < rules.candidates) {
      distinct.push_back(std::move(candidate));
    }
  }
  answer.best = std::move(distinct);
  if (rules.no_answer || answer.best.empty()) {
    const bool wins = answer.best.empty() || none - answer.best.front().score > rules.null_threshold;
    answer.best.insert(wins ? answer.best.begin() : answer.best.end(),
                       AnswerCandidate{.span = {}, .text = "", .score = none});
  }
  set_probabilities(answer.best);
  return answer;
}

}  // namespace lmzoo
