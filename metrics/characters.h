// Text as Python's str sees it, in which the reference implementations of the text metrics are written: lower
// case, white space, words and categories of Unicode. The tables are ICU's.
//
// Text is UTF-8; a broken sequence counts as one character of no category.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lmzoo {

std::u32string decoded(std::string_view text);
std::string encoded(std::u32string_view characters);

std::string lower_case(std::string_view text);  // str.lower()
bool is_white(char32_t c);                      // str.isspace()
bool is_word(char32_t c);                       // \w of re
bool is_number(char32_t c);                     // categories N, P, S
bool is_punctuation(char32_t c);
bool is_symbol(char32_t c);

std::vector<std::string> split_words(std::string_view text);  // str.split()
std::string_view without_white_end(std::string_view text);    // str.rstrip()

// Characters of string.punctuation.
bool is_ascii_punctuation(char32_t c);

}  // namespace lmzoo
