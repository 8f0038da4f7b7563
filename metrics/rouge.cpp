#include "metrics/rouge.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "metrics/characters.h"
#include "metrics/porter.h"

namespace lmzoo {
namespace {

using Words = std::span<const std::string>;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

RougeScore score(double hits, size_t truth, size_t predicted) {
  RougeScore made{.precision = hits / static_cast<double>(std::max<size_t>(predicted, 1)),
                  .recall = hits / static_cast<double>(std::max<size_t>(truth, 1))};
  const double sum = made.precision + made.recall;
  made.f1 = sum > 0 ? 2 * made.precision * made.recall / sum : 0;
  return made;
}

std::map<std::vector<std::string_view>, int64_t> count_word_grams(Words words, size_t n) {
  std::map<std::vector<std::string_view>, int64_t> counts;
  for (size_t i = 0; i + n <= words.size(); ++i) {
    ++counts[{words.begin() + static_cast<std::ptrdiff_t>(i),
              words.begin() + static_cast<std::ptrdiff_t>(i + n)}];
  }
  return counts;
}

// Length of the longest common subsequence; two rows of the table.
int64_t common_length(Words a, Words b) {
  std::vector<int64_t> above(b.size() + 1), row(b.size() + 1);
  for (const std::string& word : a) {
    for (size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = word == b[j] ? above[j] + 1 : std::max(above[j + 1], row[j]);
    }
    std::swap(above, row);
  }
  return above[b.size()];
}

// Indexes into `truth` of one longest common subsequence: of several, the one that rouge_score finds by going
// back from the end. A bit a cell tells whether it goes to the left.
std::vector<size_t> common_indexes(Words truth, Words predicted) {
  const size_t width = predicted.size() + 1;
  std::vector<int64_t> above(width), row(width);
  std::vector<bool> goes_left((truth.size() + 1) * width);
  for (size_t i = 1; i <= truth.size(); ++i) {
    for (size_t j = 1; j < width; ++j) {
      row[j] = truth[i - 1] == predicted[j - 1] ? above[j - 1] + 1 : std::max(above[j], row[j - 1]);
      goes_left[i * width + j] = row[j - 1] > above[j];
    }
    std::swap(above, row);
  }
  std::vector<size_t> indexes;
  for (size_t i = truth.size(), j = predicted.size(); i > 0 && j > 0;) {
    if (truth[i - 1] == predicted[j - 1]) {
      indexes.push_back(--i);
      --j;
    } else if (goes_left[i * width + j]) {
      --j;
    } else {
      --i;
    }
  }
  return indexes;
}

// Each word as often as the sentences have it.
std::map<std::string_view, int64_t> count_words(const Sentences& sentences) {
  std::map<std::string_view, int64_t> counts;
  for (const auto& sentence : sentences) {
    for (const std::string& word : sentence) {
      ++counts[word];
    }
  }
  return counts;
}

size_t total_words(const Sentences& sentences) {
  size_t total = 0;
  for (const auto& sentence : sentences) {
    total += sentence.size();
  }
  return total;
}

// Lines that have a character.
Sentences line_words(std::string_view text, bool stemmer) {
  Sentences lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) {
      lines.push_back(rouge_words(text.substr(0, end), stemmer));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void keep_better(RougeScore& best, const RougeScore& other) { best = other.f1 > best.f1 ? other : best; }

}  // namespace

std::vector<std::string> rouge_words(std::string_view text, bool stemmer) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : lower_case(text)) {
    const bool letter = is_letter_or_digit(c);
    if (letter && !inside) {
      words.emplace_back();
    }
    if (letter) {
      words.back() += c;
    }
    inside = letter;
  }
  if (stemmer) {
    for (std::string& word : words) {
      word = word.size() > 3 ? porter_stem(word) : word;
    }
  }
  return words;
}

RougeScore rouge_n(Words truth, Words predicted, int64_t n) {
  const auto size = static_cast<size_t>(n);
  const auto wanted = count_word_grams(truth, size), found = count_word_grams(predicted, size);
  int64_t hits = 0;
  for (const auto& [gram, count] : wanted) {
    const auto at = found.find(gram);
    hits += at == found.end() ? 0 : std::min(count, at->second);
  }
  const auto grams = [&](Words words) { return words.size() >= size ? words.size() - size + 1 : 0; };
  return score(static_cast<double>(hits), grams(truth), grams(predicted));
}

RougeScore rouge_l(Words truth, Words predicted) {
  return score(static_cast<double>(common_length(truth, predicted)), truth.size(), predicted.size());
}

// A word of the truth is a hit when it is in the common subsequence with any predicted sentence, and as often
// as both texts have it.
RougeScore rouge_lsum(const Sentences& truth, const Sentences& predicted) {
  auto wanted = count_words(truth), found = count_words(predicted);
  double hits = 0;
  for (const auto& sentence : truth) {
    std::set<size_t> together;
    for (const auto& other : predicted) {
      const std::vector<size_t> common = common_indexes(sentence, other);
      together.insert(common.begin(), common.end());
    }
    for (const size_t i : together) {
      int64_t& left_wanted = wanted[sentence[i]];
      int64_t& left_found = found[sentence[i]];
      if (left_wanted > 0 && left_found > 0) {
        ++hits;
        --left_wanted;
        --left_found;
      }
    }
  }
  return score(hits, total_words(truth), total_words(predicted));
}

Rouge rouge(std::string_view truth, std::string_view predicted, const RougeOptions& options) {
  const auto wanted = rouge_words(truth, options.stemmer), found = rouge_words(predicted, options.stemmer);
  return {
      .rouge1 = rouge_n(wanted, found, 1),
      .rouge2 = rouge_n(wanted, found, 2),
      .rougeL = rouge_l(wanted, found),
      .rougeLsum = rouge_lsum(line_words(truth, options.stemmer), line_words(predicted, options.stemmer))};
}

Rouge rouge(std::span<const std::string> truths, std::string_view predicted, const RougeOptions& options) {
  if (truths.empty()) {
    throw std::logic_error("rouge: no truth to compare with");
  }
  Rouge best = rouge(truths[0], predicted, options);
  for (const std::string& truth : truths.subspan(1)) {
    const Rouge other = rouge(truth, predicted, options);
    keep_better(best.rouge1, other.rouge1);
    keep_better(best.rouge2, other.rouge2);
    keep_better(best.rougeL, other.rougeL);
    keep_better(best.rougeLsum, other.rougeLsum);
  }
  return best;
}

}  // namespace lmzoo
