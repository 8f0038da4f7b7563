#include "objectives/parts/word_spans.h"

#include <algorithm>
#include <cmath>

namespace lmzoo {

std::vector<double> word_span_shares(const WordSpanNoise& noise) {
  std::vector<double> shares;
  double sum = 0;
  for (int64_t words = 1; words <= noise.longest; ++words) {
    shares.push_back(noise.stop_share * std::pow(1 - noise.stop_share, static_cast<double>(words - 1)));
    sum += shares.back();
  }
  for (double& share : shares) {
    share /= sum;
  }
  return shares;
}

HiddenText::HiddenText(const Units& words, int64_t budget)
    : words_(words), hidden_(words.positions.size()), left_(budget) {
  for (int64_t word = 0; word < words.count(); ++word) {
    word_of_.insert(word_of_.end(), words.at(word).size(), word);
  }
}

void HiddenText::hide(int64_t anchor, int64_t count) {
  if (hidden_.at(static_cast<size_t>(anchor))) {
    return;
  }
  const int64_t first = word_of_[static_cast<size_t>(anchor)];
  for (int64_t word = first; word < std::min(first + count, words_.count()); ++word) {
    for (const int64_t position : words_.at(word)) {
      if (left_ == 0) {
        return;
      }
      left_ -= hidden_[static_cast<size_t>(position)] ? 0 : 1;
      hidden_[static_cast<size_t>(position)] = true;
    }
  }
}

Units HiddenText::spans() const {
  Units spans;
  for (int64_t i = 0; i < std::ssize(hidden_); ++i) {
    if (hidden_[static_cast<size_t>(i)]) {
      spans.positions.push_back(i);
    } else if (i > 0 && hidden_[static_cast<size_t>(i - 1)]) {
      spans.ends.push_back(std::ssize(spans.positions));
    }
  }
  if (!hidden_.empty() && hidden_.back()) {
    spans.ends.push_back(std::ssize(spans.positions));
  }
  return spans;
}

int64_t word_span_budget(int64_t length, const WordSpanNoise& noise) {
  return static_cast<int64_t>(std::ceil(static_cast<double>(length) * noise.rate));
}

DrawnWordSpans draw_word_spans(const Units& words, const WordSpanNoise& noise, Stream& stream) {
  const auto length = std::ssize(words.positions);
  const std::vector<double> shares = word_span_shares(noise);
  HiddenText text(words, word_span_budget(length, noise));
  DrawnWordSpans drawn{};
  while (!text.is_full()) {
    double u = stream.uniform();
    int64_t count = 1;
    for (size_t i = 0; i + 1 < shares.size() && u >= shares[i]; ++i) {
      u -= shares[i];
      ++count;
    }
    const auto anchor = static_cast<int64_t>(stream.below(static_cast<uint64_t>(length)));
    drawn.draws.push_back({.words = count, .anchor = anchor});
    text.hide(anchor, count);
  }
  drawn.spans = text.spans();
  return drawn;
}

}  // namespace lmzoo
