// "a is to b as c is to d": the word that a table puts in the place of d.
//
//   add   argmax cos(d, b) - cos(d, a) + cos(d, c)              3CosAdd: Mikolov, Yih & Zweig, NAACL 2013
//   mul   argmax cos'(d, b) · cos'(d, c) / (cos'(d, a) + eps)    3CosMul: Levy & Goldberg, CoNLL 2014;
//                                                               cos' = (cos + 1) / 2
//
// No answer is a, b or c.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/progress.h"
#include "infer/vectors/vector_table.h"
#include "infer/vectors/word_tests.h"

namespace lmzoo {

enum class AnalogyMethod { add, mul };
template <>
struct EnumNames<AnalogyMethod> {
  static constexpr std::pair<AnalogyMethod, std::string_view> values[] = {{AnalogyMethod::add, "add"},
                                                                          {AnalogyMethod::mul, "mul"}};
};

struct AnalogyOptions {
  AnalogyMethod method = AnalogyMethod::add;
  double epsilon = 1e-3;
  int64_t candidates = 0;  // words beyond the first so many are no answers, and unknown in questions; 0: none
  bool fold_case = true;   // words are compared in lower case; of several forms the most frequent is asked
};

struct AnalogyScore {
  std::string section;
  int64_t questions = 0;
  int64_t known = 0;  // questions whose four words all have vectors; only these are asked
  int64_t correct = 0;
};

struct AnalogyResult {
  std::vector<AnalogyScore> sections;
  AnalogyScore semantic, syntactic;  // syntactic: sections whose names begin with "gram"
  AnalogyScore total;
  std::vector<int64_t> answers;  // a row for each question; -1: not asked
};

AnalogyResult evaluate_analogies(const VectorTable& table,
                                 const AnalogySet& set,
                                 const AnalogyOptions& options,
                                 const Progress& progress = {});

struct AnalogyAnswer {
  int64_t row = 0;
  double score = 0;
};
// The best answers to one question, best first. InputError when a word has no vector.
std::vector<AnalogyAnswer> solve_analogy(const VectorTable& table,
                                         const std::array<std::string, 3>& words,
                                         const AnalogyOptions& options,
                                         int64_t count);

}  // namespace lmzoo
