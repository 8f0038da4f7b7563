#include "metrics/porter.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace lmzoo {
namespace {

bool is_vowel(char c) { return std::string_view("aeiou").find(c) != std::string_view::npos; }

// True for each consonant: what is no vowel, y only at the beginning or after a vowel.
std::vector<bool> consonants(std::string_view word) {
  std::vector<bool> flags(word.size());
  for (size_t i = 0; i < word.size(); ++i) {
    flags[i] = word[i] == 'y' ? i == 0 || !flags[i - 1] : !is_vowel(word[i]);
  }
  return flags;
}

// How often a vowel is followed by a consonant: the paper's m.
int measure(std::string_view stem) {
  const std::vector<bool> flags = consonants(stem);
  int count = 0;
  for (size_t i = 1; i < flags.size(); ++i) {
    count += !flags[i - 1] && flags[i] ? 1 : 0;
  }
  return count;
}

bool has_vowel(std::string_view stem) {
  const std::vector<bool> flags = consonants(stem);
  return std::find(flags.begin(), flags.end(), false) != flags.end();
}

bool ends_in_consonant(std::string_view word) { return !word.empty() && consonants(word).back(); }

bool ends_in_double_consonant(std::string_view word) {
  return word.size() >= 2 && word.back() == word[word.size() - 2] && ends_in_consonant(word);
}

// Consonant, vowel, consonant at the end, the last not w, x or y; or vowel, consonant alone.
bool ends_in_short_syllable(std::string_view word) {
  const std::vector<bool> flags = consonants(word);
  const size_t n = flags.size();
  if (n == 2) {
    return !flags[0] && flags[1];
  }
  return n >= 3 && flags[n - 3] && !flags[n - 2] && flags[n - 1] &&
         std::string_view("wxy").find(word.back()) == std::string_view::npos;
}

using Condition = bool (*)(std::string_view stem);
bool measured(std::string_view stem) { return measure(stem) > 0; }
bool measured_twice(std::string_view stem) { return measure(stem) > 1; }
bool always(std::string_view) { return true; }

struct Rule {
  std::string_view suffix, replacement;
  Condition condition;
};

// The first rule with a fitting suffix decides, also when its condition does not hold.
std::string stripped(std::string_view word, std::span<const Rule> rules) {
  for (const Rule& rule : rules) {
    if (word.ends_with(rule.suffix)) {
      const std::string_view stem = word.substr(0, word.size() - rule.suffix.size());
      return std::string(rule.condition(stem) ? stem : word) +
             std::string(rule.condition(stem) ? rule.replacement : "");
    }
  }
  return std::string(word);
}

std::string plural(std::string_view word) {  // step 1a
  if (word.ends_with("ies") && word.size() == 4) {
    return std::string(word.substr(0, 3));
  }
  static constexpr Rule kRules[] = {
      {"sses", "ss", always}, {"ies", "i", always}, {"ss", "ss", always}, {"s", "", always}};
  return stripped(word, kRules);
}

// What -ed or -ing leaves.
std::string mended(std::string_view stem) {
  if (stem.ends_with("at") || stem.ends_with("bl") || stem.ends_with("iz")) {
    return std::string(stem) + "e";
  }
  if (ends_in_double_consonant(stem)) {
    return std::string(std::string_view("lsz").find(stem.back()) == std::string_view::npos
                           ? stem.substr(0, stem.size() - 1)
                           : stem);
  }
  return std::string(stem) + (measure(stem) == 1 && ends_in_short_syllable(stem) ? "e" : "");
}

std::string past(std::string_view word) {  // step 1b
  if (word.ends_with("ied")) {
    return std::string(word.substr(0, word.size() - (word.size() == 4 ? 1 : 2)));
  }
  if (word.ends_with("eed")) {
    return std::string(word.substr(0, word.size() - (measured(word.substr(0, word.size() - 3)) ? 1 : 0)));
  }
  for (const std::string_view suffix : {"ed", "ing"}) {
    if (word.ends_with(suffix) && has_vowel(word.substr(0, word.size() - suffix.size()))) {
      return mended(word.substr(0, word.size() - suffix.size()));
    }
  }
  return std::string(word);
}

std::string last_y(std::string_view word) {  // step 1c
  static constexpr Rule kRules[] = {
      {"y", "i", [](std::string_view stem) { return stem.size() > 1 && ends_in_consonant(stem); }}};
  return stripped(word, kRules);
}

std::string long_suffix(std::string_view word) {  // step 2
  if (word.ends_with("alli") && measured(word.substr(0, word.size() - 4))) {
    return long_suffix(word.substr(0, word.size() - 2));
  }
  static constexpr Rule kRules[] = {
      {"ational", "ate", measured},
      {"tional", "tion", measured},
      {"enci", "ence", measured},
      {"anci", "ance", measured},
      {"izer", "ize", measured},
      {"bli", "ble", measured},
      {"alli", "al", measured},
      {"entli", "ent", measured},
      {"eli", "e", measured},
      {"ousli", "ous", measured},
      {"ization", "ize", measured},
      {"ation", "ate", measured},
      {"ator", "ate", measured},
      {"alism", "al", measured},
      {"iveness", "ive", measured},
      {"fulness", "ful", measured},
      {"ousness", "ous", measured},
      {"aliti", "al", measured},
      {"iviti", "ive", measured},
      {"biliti", "ble", measured},
      {"fulli", "ful", measured},
      // NLTK measures the stem with its l.
      {"logi", "log", [](std::string_view stem) { return measured(std::string(stem) + "l"); }}};
  return stripped(word, kRules);
}

std::string derived(std::string_view word) {  // step 3
  static constexpr Rule kRules[] = {{"icate", "ic", measured},
                                    {"ative", "", measured},
                                    {"alize", "al", measured},
                                    {"iciti", "ic", measured},
                                    {"ical", "ic", measured},
                                    {"ful", "", measured},
                                    {"ness", "", measured}};
  return stripped(word, kRules);
}

std::string bare(std::string_view word) {  // step 4
  static constexpr Rule kRules[] = {{"al", "", measured_twice},
                                    {"ance", "", measured_twice},
                                    {"ence", "", measured_twice},
                                    {"er", "", measured_twice},
                                    {"ic", "", measured_twice},
                                    {"able", "", measured_twice},
                                    {"ible", "", measured_twice},
                                    {"ant", "", measured_twice},
                                    {"ement", "", measured_twice},
                                    {"ment", "", measured_twice},
                                    {"ent", "", measured_twice},
                                    {"ion",
                                     "",
                                     [](std::string_view stem) {
                                       return measured_twice(stem) &&
                                              (stem.ends_with('s') || stem.ends_with('t'));
                                     }},
                                    {"ou", "", measured_twice},
                                    {"ism", "", measured_twice},
                                    {"ate", "", measured_twice},
                                    {"iti", "", measured_twice},
                                    {"ous", "", measured_twice},
                                    {"ive", "", measured_twice},
                                    {"ize", "", measured_twice}};
  return stripped(word, kRules);
}

std::string last_e(std::string_view word) {  // step 5a
  if (!word.ends_with('e')) {
    return std::string(word);
  }
  const std::string_view stem = word.substr(0, word.size() - 1);
  const int m = measure(stem);
  return std::string(m > 1 || (m == 1 && !ends_in_short_syllable(stem)) ? stem : word);
}

std::string last_l(std::string_view word) {  // step 5b
  const std::string_view shorter = word.substr(0, word.size() - (word.empty() ? 0 : 1));
  return std::string(word.ends_with("ll") && measured_twice(shorter) ? shorter : word);
}

constexpr std::pair<std::string_view, std::string_view> kIrregular[] = {{"sky", "sky"},
                                                                        {"skies", "sky"},
                                                                        {"dying", "die"},
                                                                        {"lying", "lie"},
                                                                        {"tying", "tie"},
                                                                        {"news", "news"},
                                                                        {"innings", "inning"},
                                                                        {"inning", "inning"},
                                                                        {"outings", "outing"},
                                                                        {"outing", "outing"},
                                                                        {"cannings", "canning"},
                                                                        {"canning", "canning"},
                                                                        {"howe", "howe"},
                                                                        {"proceed", "proceed"},
                                                                        {"exceed", "exceed"},
                                                                        {"succeed", "succeed"}};

}  // namespace

std::string porter_stem(std::string_view word) {
  for (const auto& [form, stem] : kIrregular) {
    if (word == form) {
      return std::string(stem);
    }
  }
  std::string stem(word);
  if (word.size() > 2) {
    for (const auto step : {plural, past, last_y, long_suffix, derived, bare, last_e, last_l}) {
      stem = step(stem);
    }
  }
  return stem;
}

}  // namespace lmzoo
