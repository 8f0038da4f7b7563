#include "text/words/phrases.h"

#include <charconv>

#include "base/check.h"
#include "base/utf8.h"

namespace lmzoo {
namespace {

constexpr int64_t kMaxPasses = 8;

uint64_t key_of(int32_t first, int32_t second) {
  return static_cast<uint64_t>(first) << 32 | static_cast<uint32_t>(second);
}

}  // namespace

void Phrases::add(int64_t pass, std::string_view first, std::string_view second) {
  const int32_t a = words_.add(first);
  const int32_t b = words_.add(second);
  const int32_t joined = words_.add(fmt::format("{}_{}", first, second));
  if (static_cast<size_t>(pass) >= passes_.size()) {
    passes_.resize(static_cast<size_t>(pass) + 1);
  }
  passes_[static_cast<size_t>(pass)].emplace(key_of(a, b), joined);
  pairs_.push_back({pass, a, b});
}

void Phrases::join(std::vector<std::string_view>& words) const {
  thread_local std::vector<int32_t> numbers;
  numbers.clear();
  for (const std::string_view word : words) {
    numbers.push_back(words_.find(word));
  }
  for (const auto& pairs : passes_) {
    size_t kept = 0;
    for (size_t i = 0; i < words.size(); ++i, ++kept) {
      words[kept] = words[i];
      numbers[kept] = numbers[i];
      if (i + 1 == words.size() || numbers[i] < 0 || numbers[i + 1] < 0) {
        continue;
      }
      const auto found = pairs.find(key_of(numbers[i], numbers[i + 1]));
      if (found != pairs.end()) {
        numbers[kept] = found->second;
        words[kept] = words_.word(found->second);
        ++i;
      }
    }
    words.resize(kept);
    numbers.resize(kept);
  }
}

std::string Phrases::text() const {
  std::string out;
  for (const Pair& pair : pairs_) {
    out += fmt::format("{}\t{}\t{}\n", pair.pass, words_.word(pair.first), words_.word(pair.second));
  }
  return out;
}

Phrases Phrases::parse(std::string_view text, const std::string& file) {
  Phrases phrases;
  for (int64_t line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    const std::string_view row = text.substr(0, end);
    const size_t one = row.find('\t');
    const size_t two = one == std::string_view::npos ? one : row.find('\t', one + 1);
    int64_t pass = -1;
    if (end != std::string_view::npos && two != std::string_view::npos) {
      const auto [stop, error] = std::from_chars(row.data(), row.data() + one, pass);
      pass = error == std::errc() && stop == row.data() + one ? pass : -1;
    }
    if (pass < 0 || pass >= kMaxPasses || two + 1 == row.size() || one + 1 == two || !is_utf8(row)) {
      throw InputError(Location{file, line}, "is not `pass TAB word TAB word`");
    }
    phrases.add(pass, row.substr(one + 1, two - one - 1), row.substr(two + 1));
    text.remove_prefix(end + 1);
  }
  return phrases;
}

}  // namespace lmzoo
