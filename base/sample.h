// What data hands to objectives: ids of texts with their labels. No torch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/passage.h"

namespace lmzoo {

class Stream;  // base/rng.h

// What the records of the data hold beside their first text: objectives refuse what they cannot use, and miss
// what they need, before anything is read.
struct RecordShape {
  int64_t texts = 1;       // columns of text
  int64_t choices = 0;     // columns of choices; a column of lists counts as 2
  bool label = false;      // a class
  bool labels = false;     // a set of classes
  bool tags = false;       // a class of each word
  bool value = false;      // a number
  bool answer = false;     // spans of the last text
  bool target = false;     // a text to write
  bool sentences = false;  // where the sentences of the text begin

  bool operator==(const RecordShape&) const = default;
};

// A piece of text as the loader cuts it: content ids only, no special ones (the objective adds its own). Data
// with columns (text/source.h) brings more than one text and other labels; what it lacks stays empty.
struct Sample {
  std::vector<int64_t> ids;  // of the first text
  int64_t label = -1;        // class index, for data with labels; of choices: which one
  std::vector<std::vector<int64_t>> further_texts{};  // a second sentence, a passage
  std::vector<std::vector<int64_t>> choices{};        // texts of which `label` is the right one
  std::vector<int64_t> target{};                      // the text to write
  std::optional<double> value{};                      // the number to predict
  std::vector<int64_t> label_set{};                   // several classes at once, ascending
  std::vector<int64_t> word_starts{};                 // tagged words: index in `ids` of the first id of each
  std::vector<int64_t> tags{};                        // and its class; as many
  std::vector<int64_t> sentence_starts{};             // index in `ids` of the first id of each sentence
  std::shared_ptr<const Passage> passage{};           // the last text as text, with its answers
  int64_t corpus =
      -1;  // which of the run's training texts it is of (data.train is 0); -1: of none, as a query
  // Another document of the same text, for an objective that asks for it (ObjectiveForm::needs_another).
  std::function<Sample(Stream&)> another{};
};

}  // namespace lmzoo
