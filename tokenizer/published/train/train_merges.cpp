#include <algorithm>
#include <queue>
#include <unordered_map>

#include "tokenizer/published/train/train.h"
#include "tokenizer/published/unicode/unicode.h"

namespace lmzoo::huggingface {
namespace {

using TrainedSymbol = uint32_t;

uint64_t trained_pair(TrainedSymbol left, TrainedSymbol right) {
  return static_cast<uint64_t>(left) << 32 | right;
}

struct Word {
  std::vector<TrainedSymbol> symbols;
  int64_t count;
};

// A pair with how often it occurred when it was queued.
struct Candidate {
  int64_t count;
  uint64_t pair;
  // The most frequent one first, of these the one whose pieces are older.
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Trainer {
 public:
  Trainer(const std::vector<CountedWord>& words, const MergeTraining& options) : options_(options) {
    for (const std::string& piece : options.alphabet) {
      add_piece(piece);
    }
    add_alphabet(words);
    for (const CountedWord& word : words) {
      words_.push_back({symbols_of(word.text), word.count});
    }
    for (size_t i = 0; i < words_.size(); ++i) {
      const std::vector<TrainedSymbol>& symbols = words_[i].symbols;
      for (size_t at = 0; at + 1 < symbols.size(); ++at) {
        change(trained_pair(symbols[at], symbols[at + 1]), words_[i].count, i);
      }
    }
    for (const auto& [pair, state] : pairs_) {
      queue_.push({state.count, pair});
    }
  }

  Merges run(const Progress& progress) {
    const size_t first = result_.pieces.size();
    while (result_.pieces.size() < options_.size && !queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      const int64_t count = pairs_[best.pair].count;
      if (count != best.count) {
        if (count > 0) {
          queue_.push({count, best.pair});
        }
        continue;
      }
      if (count < options_.min_count) {
        break;
      }
      merge(best.pair);
      const size_t done = result_.pieces.size() - first;
      if (progress && done % 256 == 0) {
        progress("training the tokenizer",
                 static_cast<double>(done) / static_cast<double>(options_.size - first));
      }
    }
    return std::move(result_);
  }

 private:
  struct PairState {
    int64_t count = 0;
    std::vector<uint32_t> words;  // where it occurs, or did once; in order, some twice
  };

  TrainedSymbol add_piece(const std::string& piece) {
    const auto [found, added] = ids_.emplace(piece, static_cast<TrainedSymbol>(result_.pieces.size()));
    if (added) {
      result_.pieces.push_back(piece);
    }
    return found->second;
  }

  template <class Use>
  void for_each_character(const std::string& word, const Use& use) const {
    for (size_t at = 0; at < word.size();) {
      const size_t begin = at;
      next_code_point(word, at);
      use((begin > 0 ? options_.prefix : "") + word.substr(begin, at - begin));
    }
  }

  void add_alphabet(const std::vector<CountedWord>& words) {
    std::unordered_map<std::string, int64_t> counts;
    for (const CountedWord& word : words) {
      for_each_character(word.text, [&](const std::string& piece) { counts[piece] += word.count; });
    }
    std::vector<std::pair<std::string, int64_t>> ranked(counts.begin(), counts.end());
    std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    for (const auto& [piece, count] : ranked) {
      if (result_.pieces.size() < options_.size) {
        add_piece(piece);
      }
    }
  }

  std::vector<TrainedSymbol> symbols_of(const std::string& word) const {
    std::vector<TrainedSymbol> symbols;
    for_each_character(word, [&](const std::string& piece) {
      if (const auto found = ids_.find(piece); found != ids_.end()) {
        symbols.push_back(found->second);
      }
    });
    return symbols;
  }

  void change(uint64_t pair, int64_t count, size_t word) {
    PairState& state = pairs_[pair];
    state.count += count;
    if (count > 0 && (state.words.empty() || state.words.back() != word)) {
      state.words.push_back(static_cast<uint32_t>(word));
    }
  }

  void merge(uint64_t pair) {
    const auto left = static_cast<TrainedSymbol>(pair >> 32), right = static_cast<TrainedSymbol>(pair);
    const std::string first = result_.pieces[left], second = result_.pieces[right];
    const TrainedSymbol joined = add_piece(
        first + second.substr(options_.prefix.size() * (second.starts_with(options_.prefix) ? 1 : 0)));
    result_.merges.emplace_back(first, second);
    std::vector<uint32_t> where = std::move(pairs_[pair].words);
    pairs_.erase(pair);
    std::sort(where.begin(), where.end());
    where.erase(std::unique(where.begin(), where.end()), where.end());
    std::vector<uint64_t> fresh;
    for (const uint32_t i : where) {
      merge_in(i, left, right, joined, fresh);
    }
    pairs_.erase(pair);
    std::sort(fresh.begin(), fresh.end());
    fresh.erase(std::unique(fresh.begin(), fresh.end()), fresh.end());
    for (const uint64_t next : fresh) {
      if (const int64_t count = pairs_[next].count; count > 0) {
        queue_.push({count, next});
      }
    }
  }

  void merge_in(size_t index,
                TrainedSymbol left,
                TrainedSymbol right,
                TrainedSymbol joined,
                std::vector<uint64_t>& fresh) {
    Word& word = words_[index];
    std::vector<TrainedSymbol>& symbols = word.symbols;
    size_t out = 0;
    for (size_t at = 0; at < symbols.size(); ++at, ++out) {
      if (at + 1 == symbols.size() || symbols[at] != left || symbols[at + 1] != right) {
        symbols[out] = symbols[at];
        continue;
      }
      if (out > 0) {
        change(trained_pair(symbols[out - 1], left), -word.count, index);
        fresh.push_back(trained_pair(symbols[out - 1], joined));
        change(fresh.back(), word.count, index);
      }
      if (at + 2 < symbols.size()) {
        change(trained_pair(right, symbols[at + 2]), -word.count, index);
        fresh.push_back(trained_pair(joined, symbols[at + 2]));
        change(fresh.back(), word.count, index);
      }
      symbols[out] = joined;
      ++at;
    }
    symbols.resize(out);
  }

  const MergeTraining& options_;
  Merges result_;
  std::unordered_map<std::string, TrainedSymbol> ids_;
  std::vector<Word> words_;
  std::unordered_map<uint64_t, PairState> pairs_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace

Merges train_merges(const std::vector<CountedWord>& words,
                    const MergeTraining& options,
                    const Progress& progress) {
  return Trainer(words, options).run(progress);
}

}  // namespace lmzoo::huggingface
