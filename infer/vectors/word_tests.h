// The files that word vectors are judged by: analogy questions, and pairs of words with people's scores.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace lmzoo {

// "a is to b as c is to d".
struct AnalogyQuestion {
  std::array<std::string, 4> words;
  size_t section = 0;
};
struct AnalogySet {
  std::vector<std::string> sections;
  std::vector<AnalogyQuestion> questions;
};

// word2vec's questions-words.txt: ": section" lines, then four words a line.
AnalogySet read_analogies(const std::string& path);

struct WordPair {
  std::string first, second;
  double score = 0;
};

// wordsim353, SimLex-999, MEN, RW and their like: a pair a line and a score, parted by tabs, commas,
// semicolons or spaces. The score is the first number behind the words (SimLex has a part of speech before
// it). A first line without a number there is a heading; lines that begin with # are remarks.
std::vector<WordPair> read_word_pairs(const std::string& path);

}  // namespace lmzoo
