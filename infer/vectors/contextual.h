// One word in several sentences: its static vector, a row of the token embedding, is one point; its vectors
// in context, the states of a layer, are as many as there are occurrences. (Peters et al. 2018; Ethayarajh,
// EMNLP 2019)
//
// Legend: n occurrences, D width.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "infer/report/html.h"
#include "infer/vectors/encode.h"
#include "io/json.h"

namespace lmzoo {

// Where a word stands in a sentence.
struct Occurrence {
  size_t sentence = 0;
  size_t begin = 0, end = 0;  // bytes of Contextual::sentences[sentence]
  double x = 0, y = 0;        // on the two directions in which the occurrences differ most
  double cosine_to_static = 0;
};

struct Contextual {
  std::string word;
  int64_t layer = 0;
  std::vector<std::string> sentences{};  // as the tokenizer normalizes them
  std::vector<Occurrence> occurrences{};
  double static_x = 0, static_y = 0;  // the static vector on the same two directions
  double explained = 0;               // share of the variance of the occurrences that x and y show
  // Per layer, the mean cosine of two different occurrences: 1 for a vector that does not depend on its
  // context.
  std::vector<double> self_similarity{};
};

// Sentences are read behind the run's prefix, in which the word is not looked for. It is found in any case, between characters that are no letters or digits. The points are of vectors
// at length 1. InputError when it occurs fewer than twice.
Contextual contextual_points(const LoadedRun& run,
                             const std::string& word,
                             const std::vector<std::string>& sentences,
                             std::optional<int64_t> layer);

Json to_json(const Contextual& points);
std::string to_text(const Contextual& points);
html::Fragment to_section(const Contextual& points);  // the picture, the sentences and the layers
std::string to_html(const Contextual& points);        // one self-contained page of it

// Pure parts. Occurrences of `word` in `text` as byte ranges; token indexes that a byte range of decode(ids)
// covers.
std::vector<std::pair<size_t, size_t>> find_word(const std::string& text, const std::string& word);
std::pair<int64_t, int64_t> tokens_of_range(const Tokenizer& tokenizer,
                                            std::span<const int64_t> ids,
                                            std::pair<size_t, size_t> range);
// The `count` directions of largest variance of rows, [count, D]; each direction's largest weight is
// positive.
struct Principal {
  Tensor mean, directions;  // [D], [count, D]; a direction of zeros where there are fewer
  double explained = 0;

  Tensor coordinates(const Tensor& rows) const;  // [n, D] -> [n, count]
};
Principal principal_components(const Tensor& rows, int64_t count);

}  // namespace lmzoo
