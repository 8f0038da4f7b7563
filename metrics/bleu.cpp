#include "metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <unordered_map>

#include "metrics/bleu_words.h"

namespace lmzoo {
namespace {

// Words as numbers, and n-grams of them: unused places are -1.
using Gram = std::array<int32_t, kBleuOrder>;
using GramCounts = std::map<Gram, int64_t>;

class WordNumbers {
 public:
  std::vector<int32_t> of(const std::vector<std::string>& words) {
    std::vector<int32_t> numbers;
    numbers.reserve(words.size());
    for (const std::string& word : words) {
      numbers.push_back(numbers_.try_emplace(word, static_cast<int32_t>(numbers_.size())).first->second);
    }
    return numbers;
  }

 private:
  std::unordered_map<std::string, int32_t> numbers_;
};

size_t order_of(const Gram& gram) {
  return static_cast<size_t>(std::find(gram.begin(), gram.end(), -1) - gram.begin());
}

GramCounts count_grams(const std::vector<int32_t>& words) {
  GramCounts counts;
  for (size_t i = 0; i < words.size(); ++i) {
    Gram gram;
    gram.fill(-1);
    for (size_t n = 0; n < kBleuOrder && i + n < words.size(); ++n) {
      gram[n] = words[i + n];
      ++counts[gram];
    }
  }
  return counts;
}

double default_smoothing(BleuSmoothing smoothing) { return smoothing == BleuSmoothing::floor ? 0.1 : 1; }

std::string signature_of(const BleuOptions& options) {
  char value[32];
  std::snprintf(
      value, sizeof value, "[%.2f]", options.smoothing_value.value_or(default_smoothing(options.smoothing)));
  switch (options.smoothing) {
    case BleuSmoothing::exp:
      return "exp";
    case BleuSmoothing::floor:
      return std::string("floor") + value;
    case BleuSmoothing::add_k:
      return std::string("add-k") + value;
    case BleuSmoothing::none:
      return "none";
  }
  throw std::logic_error("bleu: no such smoothing");
}

std::string name_of(BleuTokenizer tokenizer) {
  switch (tokenizer) {
    case BleuTokenizer::v13a:
      return "13a";
    case BleuTokenizer::international:
      return "intl";
    case BleuTokenizer::character:
      return "char";
    case BleuTokenizer::none:
      return "none";
  }
  throw std::logic_error("bleu: no such tokenizer");
}

}  // namespace

BleuCounts& BleuCounts::operator+=(const BleuCounts& more) {
  hypothesis += more.hypothesis;
  reference += more.reference;
  for (size_t n = 0; n < kBleuOrder; ++n) {
    hits[n] += more.hits[n];
    total[n] += more.total[n];
  }
  return *this;
}

BleuCounts bleu_counts(std::string_view hypothesis,
                       std::span<const std::string> references,
                       const BleuOptions& options) {
  if (references.empty()) {
    throw std::logic_error("bleu: a hypothesis has no reference");
  }
  WordNumbers numbers;
  const std::vector<int32_t> words = numbers.of(bleu_words(hypothesis, options));
  BleuCounts counts{.hypothesis = static_cast<int64_t>(words.size()), .reference = -1};
  GramCounts most;
  for (const std::string& text : references) {
    const std::vector<int32_t> reference = numbers.of(bleu_words(text, options));
    const auto length = static_cast<int64_t>(reference.size());
    const int64_t gap = std::abs(length - counts.hypothesis);
    const int64_t best = std::abs(counts.reference - counts.hypothesis);
    if (counts.reference < 0 || gap < best || (gap == best && length < counts.reference)) {
      counts.reference = length;
    }
    for (const auto& [gram, count] : count_grams(reference)) {
      most[gram] = std::max(most[gram], count);
    }
  }
  for (const auto& [gram, count] : count_grams(words)) {
    const size_t n = order_of(gram) - 1;
    const auto at = most.find(gram);
    counts.total[n] += count;
    counts.hits[n] += at == most.end() ? 0 : std::min(count, at->second);
  }
  return counts;
}

BleuScore bleu_score(const BleuCounts& counts, const BleuOptions& options) {
  BleuScore result{.brevity_penalty = 1};
  const auto length = static_cast<double>(counts.hypothesis), wanted = static_cast<double>(counts.reference);
  if (length < wanted) {
    result.brevity_penalty = length > 0 ? std::exp(1 - wanted / length) : 0;
  }
  if (std::all_of(counts.hits.begin(), counts.hits.end(), [](int64_t hits) { return hits == 0; })) {
    return result;
  }
  const double value = options.smoothing_value.value_or(default_smoothing(options.smoothing));
  double halving = 1;
  int orders = kBleuOrder;
  for (int n = 0; n < kBleuOrder; ++n) {
    const auto i = static_cast<size_t>(n);
    const double added = options.smoothing == BleuSmoothing::add_k && n > 0 ? value : 0;
    const double hits = static_cast<double>(counts.hits[i]) + added;
    const double total = static_cast<double>(counts.total[i]) + added;
    if (total == 0) {
      break;
    }
    orders = options.effective_order ? n + 1 : orders;
    if (hits != 0) {
      result.precisions[i] = 100 * hits / total;
    } else if (options.smoothing == BleuSmoothing::exp) {
      result.precisions[i] = 100 / ((halving *= 2) * total);
    } else if (options.smoothing == BleuSmoothing::floor) {
      result.precisions[i] = 100 * value / total;
    }
  }
  double logs = 0;
  for (int n = 0; n < orders; ++n) {
    logs += std::log(result.precisions[static_cast<size_t>(n)]);  // -inf where the score is 0
  }
  result.score = result.brevity_penalty * std::exp(logs / orders);
  return result;
}

BleuScore corpus_bleu(std::span<const std::string> hypotheses,
                      const References& references,
                      const BleuOptions& options) {
  if (hypotheses.size() != references.size()) {
    throw std::logic_error("bleu: as many hypotheses as lists of references are needed");
  }
  BleuCounts sum;
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    sum += bleu_counts(hypotheses[i], references[i], options);
  }
  return bleu_score(sum, options);
}

BleuScore sentence_bleu(std::string_view hypothesis,
                        std::span<const std::string> references,
                        BleuOptions options) {
  options.effective_order = true;
  return bleu_score(bleu_counts(hypothesis, references, options), options);
}

std::string bleu_signature(const BleuOptions& options, const References& references) {
  const size_t count = references.empty() ? 0 : references.front().size();
  const bool varies = std::any_of(
      references.begin(), references.end(), [&](const auto& texts) { return texts.size() != count; });
  return "nrefs:" + (varies ? std::string("var") : std::to_string(count)) +
         "|case:" + (options.lowercase ? "lc" : "mixed") +
         "|eff:" + (options.effective_order ? "yes" : "no") + "|tok:" + name_of(options.tokenizer) +
         "|smooth:" + signature_of(options);
}

}  // namespace lmzoo
