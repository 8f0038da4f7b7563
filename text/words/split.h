// Text to words: by Unicode white space, then lower-cased and freed of punctuation as the rules say.
//
//   "The (well-known) dog's 1,000 -- tricks, U.S."     keep   the (well-known) dog's 1,000 -- tricks, u.s.
//                                                      split  the ( well-known ) dog's 1,000 - - tricks , u.s
//                                                      . drop   the well-known dog's 1,000 tricks u.s
//
// Inside a word one mark stays: ' ’ - ‐ . _ between two characters that are no punctuation, and a comma or a
// colon between two digits; other punctuation parts words. Letters, spaces and punctuation are those of the C
// library's Unicode tables.
#pragma once

#include <string>
#include <string_view>

#include "text/words/options.h"

namespace lmzoo {

struct WordRules {
  bool lower = true;
  Punctuation punctuation = Punctuation::keep;

  bool operator==(const WordRules&) const = default;
};

// A run of characters over so many bytes is no word: it is never counted, and so is unknown.
inline constexpr size_t kMaxWordBytes = 1000;

// Takes words one after the other. `text` must be valid UTF-8; a word is valid until the next call.
//   WordSplitter words(rules, text);
//   for (std::string_view word; words.next(word);) ...
class WordSplitter {
 public:
  WordSplitter(const WordRules& rules, std::string_view text) : rules_(rules), text_(text) {}

  bool next(std::string_view& word);

 private:
  bool next_run(std::string_view& run);
  bool next_part(std::string_view& word);

  WordRules rules_;
  std::string_view text_;
  size_t at_ = 0;
  std::string lowered_;    // the run in lower case, when that differs
  std::string_view rest_;  // of the run, for punctuation
};

}  // namespace lmzoo
