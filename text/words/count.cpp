#include "text/words/count.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "base/check.h"
#include "base/utf8.h"
#include "text/words/parallel_text.h"

namespace lmzoo {
namespace {

void count(WordCounts& counts, std::string_view word, int64_t times = 1) {
  const auto number = static_cast<size_t>(counts.words.add(word));
  if (number == counts.counts.size()) {
    counts.counts.push_back(0);
  }
  counts.counts[number] += times;
}

// At most half of the counts are above it, and it is 1 at least.
int64_t count_to_forget(std::vector<int64_t> counts) {
  const auto middle = counts.begin() + std::ssize(counts) / 2;
  std::nth_element(counts.begin(), middle, counts.end());
  return std::max<int64_t>(*middle, 1);
}

int64_t most_of_thread(const CountRequest& request) {
  return std::max<int64_t>(request.most_entries / std::max(request.threads, 1), 1);
}

// A thread's part of the counts, bounded.
class BoundedWords {
 public:
  explicit BoundedWords(int64_t most) : most_(most) {}

  void add(std::string_view word) {
    count(all_, word);
    if (all_.words.size() > most_) {
      forget();
    }
  }
  WordCounts take() { return std::move(all_); }

 private:
  void forget() {
    const int64_t bound = count_to_forget(all_.counts);
    WordCounts kept;
    kept.missed = all_.missed + bound;
    for (int64_t word = 0; word < all_.words.size(); ++word) {
      const int64_t times = all_.counts[static_cast<size_t>(word)];
      if (times > bound) {
        count(kept, all_.words.word(word), times);
      }
    }
    all_ = std::move(kept);
  }

  int64_t most_;
  WordCounts all_;
};

using PairCounts = std::unordered_map<uint64_t, int64_t>;

class BoundedPairs {
 public:
  explicit BoundedPairs(int64_t most) : most_(most) {}

  void add(uint64_t pair) {
    ++all_[pair];
    if (std::ssize(all_) > most_) {
      std::vector<int64_t> counts;
      for (const auto& [other, times] : all_) {
        counts.push_back(times);
      }
      const int64_t bound = count_to_forget(std::move(counts));
      std::erase_if(all_, [&](const auto& entry) { return entry.second <= bound; });
    }
  }
  PairCounts take() { return std::move(all_); }

 private:
  int64_t most_;
  PairCounts all_;
};

// How often two words of `known` stand side by side; the key has the first one's number above the second's.
PairCounts count_pairs(const CountRequest& request,
                       const WordIndex& known,
                       const Phrases& phrases,
                       const Progress& progress) {
  std::vector<BoundedPairs> parts(static_cast<size_t>(std::max(request.threads, 1)),
                                  BoundedPairs(most_of_thread(request)));
  std::vector<WordReader> readers(parts.size(), WordReader(request.rules, phrases));
  for_each_record_in_parallel(
      request.text,
      request.threads,
      [&](int worker, std::string_view text) {
        int32_t before = -1;
        for (const std::string_view word : readers[static_cast<size_t>(worker)].words(text)) {
          const int32_t number = known.find(word);
          if (before >= 0 && number >= 0) {
            parts[static_cast<size_t>(worker)].add(static_cast<uint64_t>(before) << 32 |
                                                   static_cast<uint32_t>(number));
          }
          before = number;
        }
      },
      progress);
  PairCounts all = parts[0].take();
  for (size_t i = 1; i < parts.size(); ++i) {
    for (const auto& [pair, times] : parts[i].take()) {
      all[pair] += times;
    }
  }
  return all;
}

}  // namespace

const std::vector<std::string_view>& WordReader::words(std::string_view text) {
  bytes_.clear();
  ends_.clear();
  WordSplitter splitter(rules_, text);
  for (std::string_view word; splitter.next(word);) {
    bytes_ += word;
    ends_.push_back(bytes_.size());
  }
  words_.clear();
  size_t begin = 0;
  for (const size_t end : ends_) {
    words_.push_back(std::string_view(bytes_).substr(begin, end - begin));
    begin = end;
  }
  if (!phrases_->empty()) {
    phrases_->join(words_);
  }
  return words_;
}

WordCounts count_words(const CountRequest& request, const Phrases& phrases, const Progress& progress) {
  std::vector<BoundedWords> parts(static_cast<size_t>(std::max(request.threads, 1)),
                                  BoundedWords(most_of_thread(request)));
  std::vector<WordReader> readers(parts.size(), WordReader(request.rules, phrases));
  for_each_record_in_parallel(
      request.text,
      request.threads,
      [&](int worker, std::string_view text) {
        for (const std::string_view word : readers[static_cast<size_t>(worker)].words(text)) {
          if (word.size() <= kMaxWordBytes) {
            parts[static_cast<size_t>(worker)].add(word);
          }
        }
      },
      progress);
  WordCounts all = parts[0].take();
  for (size_t i = 1; i < parts.size(); ++i) {
    const WordCounts part = parts[i].take();
    for (int64_t word = 0; word < part.words.size(); ++word) {
      count(all, part.words.word(word), part.counts[static_cast<size_t>(word)]);
    }
    all.missed += part.missed;
  }
  return all;
}

WordCounts select_words(const WordCounts& all, int64_t min_count, int64_t max_words) {
  std::vector<int32_t> order(all.counts.size());
  std::iota(order.begin(), order.end(), 0);
  const auto times = [&](int32_t word) { return all.counts[static_cast<size_t>(word)]; };
  const auto most =
      std::max_element(order.begin(), order.end(), [&](int32_t a, int32_t b) { return times(a) < times(b); });
  check(most != order.end(), "the text has no words");
  const std::string top = printable(all.words.word(*most), 40);
  const int64_t top_count = times(*most);
  std::erase_if(order, [&](int32_t word) { return times(word) < min_count; });
  check(!order.empty(),
        "min_count is {}, but none of the {} different words occurs so often; the most frequent, `{}`, "
        "occurs {} times",
        min_count,
        all.counts.size(),
        top,
        top_count);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return times(a) != times(b) ? times(a) > times(b) : all.words.word(a) < all.words.word(b);
  });
  if (max_words > 0 && std::ssize(order) > max_words) {
    order.resize(static_cast<size_t>(max_words));
  }
  WordCounts chosen;
  chosen.missed = all.missed;
  for (const int32_t word : order) {
    count(chosen, all.words.word(word), times(word));
  }
  return chosen;
}

Phrases learn_phrases(const CountRequest& request, const PhraseOptions& options, const Progress& progress) {
  Phrases phrases;
  for (int64_t pass = 0; pass < options.passes; ++pass) {
    const WordCounts all = count_words(request, phrases, progress);
    const auto total = static_cast<double>(std::accumulate(all.counts.begin(), all.counts.end(), int64_t{0}));
    const WordCounts known = select_words(all, options.min_count, 0);
    const PairCounts pairs = count_pairs(request, known.words, phrases, progress);
    std::vector<uint64_t> chosen;
    for (const auto& [pair, times] : pairs) {
      const auto first = static_cast<double>(known.counts[pair >> 32]);
      const auto second = static_cast<double>(known.counts[pair & 0xFFFFFFFF]);
      const double score = static_cast<double>(times - options.min_count) * total / (first * second);
      if (score > options.threshold) {
        chosen.push_back(pair);
      }
    }
    std::sort(chosen.begin(), chosen.end());  // a hash table's order is no order
    for (const uint64_t pair : chosen) {
      phrases.add(pass,
                  known.words.word(static_cast<int64_t>(pair >> 32)),
                  known.words.word(static_cast<int64_t>(pair & 0xFFFFFFFF)));
    }
  }
  return phrases;
}

}  // namespace lmzoo
