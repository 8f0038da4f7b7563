// What a finished model says of examples, beside what was expected: the material of a task's metrics and of
// the query commands. No torch: metrics and printing need none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/passage.h"

namespace lmzoo {

// One candidate for an answer. An empty text says that the passage has none.
struct AnswerCandidate {
  ByteSpan span;
  std::string text;
  double score = 0;        // sum of the logits of its ends
  double probability = 0;  // among the candidates
};
struct PassageAnswer {
  std::shared_ptr<const Passage> passage;
  std::vector<AnswerCandidate> best;  // the answer first; the n-best of all pieces of the passage
};

// Given and expected, example by example.
template <class T>
struct Compared {
  std::vector<T> given, expected;

  void append(const Compared& more) {
    given.insert(given.end(), more.given.begin(), more.given.end());
    expected.insert(expected.end(), more.expected.begin(), more.expected.end());
  }
};

// Of an objective only the parts that it predicts are filled.
struct Predictions {
  std::vector<std::vector<double>> scores;  // of each example: a probability for each class or choice
  Compared<int64_t> classes;                // classification, multiple choice: index of the class or choice
  Compared<std::vector<int64_t>> sets;      // several classes at once: ascending indexes
  Compared<double> values;                  // regression
  Compared<std::vector<int64_t>> tags;      // a class for each word of each example
  std::vector<PassageAnswer> answers;       // question answering; expected: Passage::answers

  void append(const Predictions& more) {
    scores.insert(scores.end(), more.scores.begin(), more.scores.end());
    classes.append(more.classes);
    sets.append(more.sets);
    values.append(more.values);
    tags.append(more.tags);
    answers.insert(answers.end(), more.answers.begin(), more.answers.end());
  }
};

}  // namespace lmzoo
