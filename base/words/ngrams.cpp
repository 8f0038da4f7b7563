#include "base/words/ngrams.h"

#include <string>

namespace lmzoo {
namespace {

bool continues_character(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) == 0x80; }

}  // namespace

uint32_t ngram_hash(std::string_view ngram) {
  uint32_t hash = 2166136261U;
  for (const char byte : ngram) {
    // fastText's quirk: a byte over 127 also sets the upper 24 bits.
    hash = (hash ^ static_cast<uint32_t>(static_cast<int8_t>(byte))) * 16777619U;
  }
  return hash;
}

void append_ngrams(std::string_view word, const NgramOptions& options, std::vector<int32_t>& buckets) {
  std::string framed;
  framed.reserve(word.size() + 2);
  framed += '<';
  framed += word;
  framed += '>';
  for (size_t begin = 0; begin < framed.size(); ++begin) {
    if (continues_character(framed[begin])) {
      continue;
    }
    size_t end = begin;
    for (int64_t characters = 1; characters <= options.max && end < framed.size(); ++characters) {
      do {
        ++end;
      } while (end < framed.size() && continues_character(framed[end]));
      const bool is_frame = characters == 1 && (begin == 0 || end == framed.size());
      if (characters >= options.min && !is_frame) {
        const uint32_t hash = ngram_hash(std::string_view(framed).substr(begin, end - begin));
        buckets.push_back(static_cast<int32_t>(hash % static_cast<uint32_t>(options.buckets)));
      }
    }
  }
}

NgramTable::NgramTable(const WordIndex& words, const NgramOptions& options) {
  starts_.reserve(static_cast<size_t>(words.size()) + 1);
  for (int64_t i = 0; i < words.size(); ++i) {
    append_ngrams(words.word(i), options, buckets_);
    starts_.push_back(buckets_.size());
  }
  buckets_.shrink_to_fit();
}

}  // namespace lmzoo
