// Porter's suffix stripping ("An algorithm for suffix stripping", Program 14(3), 1980) with the additions of
// NLTK, whose stemmer rouge_score uses.
#pragma once

#include <string>
#include <string_view>

namespace lmzoo {

// `word` is of lower-case ASCII letters and digits.
std::string porter_stem(std::string_view word);

}  // namespace lmzoo
