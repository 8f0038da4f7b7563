// The regular expressions that published tokenizers split text with, each written out by hand: no engine runs
// over untrusted patterns, and one that is not known here is refused by name.
//
//   GPT-2             's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//   LLaMA-3 (cl100k)  (?i:'s|'t|...)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
//                     \s*[\r\n]+|\s+(?!\S)|\s+                         (one pattern, without a line break)
//   Qwen2             the same with \p{N}
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "tokenizer/published/unicode/aligned_text.h"

namespace lmzoo::huggingface {

// Where the match that begins exactly at `at` ends; `at` itself when there is none.
using MatchAt = size_t (*)(std::string_view text, size_t at);

size_t match_gpt2(std::string_view text, size_t at);
size_t match_word_or_symbols(std::string_view text, size_t at);  // \w+|[^\w\s]+

// The matcher of a pattern, or null when it is not known.
MatchAt known_pattern(std::string_view regex);
std::vector<std::string_view> known_patterns();

// What stands between two matches, or is one.
struct Stretch {
  Range range;
  bool is_match = false;
};

enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

// All of [part] cut into matches and what is between them.
void stretches_of(MatchAt match, std::string_view text, Range part, std::vector<Stretch>& out);
void stretches_of_literal(std::string_view literal,
                          std::string_view text,
                          Range part,
                          std::vector<Stretch>& out);
template <class Predicate>
void stretches_of_characters(const Predicate& is_match,
                             std::string_view text,
                             Range part,
                             std::vector<Stretch>& out) {
  size_t begin = part.begin;  // of what is between
  for (size_t at = part.begin; at < part.end;) {
    size_t end = at;
    if (is_match(next_code_point(text, end))) {
      if (begin < at) {
        out.push_back({{begin, at}, false});
      }
      out.push_back({{at, end}, true});
      begin = end;
    }
    at = end;
  }
  if (begin < part.end) {
    out.push_back({{begin, part.end}, false});
  }
}

// What a split leaves of the stretches, appended without empty ranges.
void apply(SplitBehavior behavior, const std::vector<Stretch>& stretches, std::vector<Range>& out);

}  // namespace lmzoo::huggingface
