#include "metrics/chrf.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "metrics/characters.h"

namespace lmzoo {
namespace {

using CharacterCounts = std::map<std::u32string, int64_t>;

std::vector<std::u32string> words_of(std::string_view text) {
  std::vector<std::u32string> words;
  for (const std::string& written : split_words(text)) {
    const std::u32string word = decoded(written);
    if (word.size() > 1 && is_ascii_punctuation(word.back())) {
      words.push_back(word.substr(0, word.size() - 1));
      words.push_back(word.substr(word.size() - 1));
    } else if (word.size() > 1 && is_ascii_punctuation(word.front())) {
      words.push_back(word.substr(0, 1));
      words.push_back(word.substr(1));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

// n-grams of every order, characters (without white space) first.
std::vector<CharacterCounts> count_characters(const std::string& text, const ChrfOptions& options) {
  std::u32string characters = decoded(text);
  std::erase_if(characters, is_white);
  std::vector<CharacterCounts> orders;
  for (size_t n = 1; n <= static_cast<size_t>(options.character_order); ++n) {
    CharacterCounts& counts = orders.emplace_back();
    for (size_t i = 0; i + n <= characters.size(); ++i) {
      ++counts[characters.substr(i, n)];
    }
  }
  const std::vector<std::u32string> words = words_of(text);
  for (size_t n = 1; n <= static_cast<size_t>(options.word_order); ++n) {
    CharacterCounts& counts = orders.emplace_back();
    for (size_t i = 0; i + n <= words.size(); ++i) {
      std::u32string gram;
      for (size_t k = i; k < i + n; ++k) {
        gram += words[k] + U' ';
      }
      ++counts[gram];
    }
  }
  return orders;
}

ClassCounts compare(const CharacterCounts& hypothesis, const CharacterCounts& reference) {
  ClassCounts counts;
  for (const auto& [gram, count] : hypothesis) {
    const auto at = reference.find(gram);
    counts.hits += at == reference.end() ? 0 : std::min(count, at->second);
    counts.predicted += reference.empty() ? 0 : count;  // where there is nothing to hit, none is missed
  }
  for (const auto& [gram, count] : reference) {
    counts.truth += count;
  }
  return counts;
}

std::string prepared(std::string_view text, const ChrfOptions& options) {
  return options.lowercase ? lower_case(text) : std::string(text);
}

}  // namespace

ChrfCounts chrf_counts(std::string_view hypothesis,
                       std::span<const std::string> references,
                       const ChrfOptions& options) {
  if (references.empty()) {
    throw std::logic_error("chrf: a hypothesis has no reference");
  }
  const std::vector<CharacterCounts> grams = count_characters(prepared(hypothesis, options), options);
  ChrfCounts best;
  double best_score = -1;
  for (const std::string& reference : references) {
    const std::vector<CharacterCounts> wanted = count_characters(prepared(reference, options), options);
    ChrfCounts counts;
    for (size_t n = 0; n < grams.size(); ++n) {
      counts.push_back(compare(grams[n], wanted[n]));
    }
    if (const double score = chrf_score(counts, options); score > best_score) {
      best_score = score;
      best = counts;
    }
  }
  return best;
}

double chrf_score(const ChrfCounts& counts, const ChrfOptions& options) {
  double precision = 0, recall = 0, orders = 0;
  for (const ClassCounts& order : counts) {
    if (order.predicted > 0 && order.truth > 0) {
      const ClassScores scores = scores_of(order);
      precision += scores.precision;
      recall += scores.recall;
      ++orders;
    }
  }
  if (precision + recall == 0) {
    return 0;
  }
  precision /= orders;
  recall /= orders;
  const double factor = options.beta * options.beta;
  return 100 * (1 + factor) * precision * recall / (factor * precision + recall);
}

}  // namespace lmzoo
