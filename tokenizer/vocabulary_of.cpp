#include "tokenizer/vocabulary_of.h"

#include <vector>

#include "tokenizer/word_edges.h"

namespace lmzoo {

InputTemplate input_template(const FramedText& one, const FramedText& pair) {
  const auto part = [](const FramedText& text, int64_t begin, int64_t end) {
    return std::vector<int64_t>(text.ids.begin() + begin, text.ids.begin() + end);
  };
  InputTemplate frame{.before = part(pair, 0, pair.first),
                      .between = part(pair, pair.first + 1, pair.second),
                      .after = part(pair, pair.second + 1, std::ssize(pair.ids)),
                      .second_type = pair.token_types[static_cast<size_t>(pair.second)] == 1};
  InputTemplate::Alone alone{.before = part(one, 0, one.first),
                             .after = part(one, one.first + 1, std::ssize(one.ids))};
  if (alone.before != frame.before || alone.after != frame.after) {
    frame.alone = std::move(alone);
  }
  return frame;
}

Vocabulary vocabulary_of(const Tokenizer& tokenizer) {
  Vocabulary vocabulary = tokenizer.vocabulary();
  if (!vocabulary.inputs) {
    const std::vector<int64_t> word{0};  // any id: only what stands around it counts
    vocabulary.inputs = input_template(tokenizer.with_specials(word), tokenizer.with_specials(word, word));
  }
  if (const auto shared = tokenizer.weak_from_this().lock()) {
    vocabulary.ask = {.encode = [shared](std::string_view text) { return shared->encode(text); },
                      .id_of_piece = [shared](std::string_view piece) { return shared->id_of(piece); }};
  }
  vocabulary.edges = std::make_shared<const std::vector<WordEdges>>(word_edges(tokenizer));
  return vocabulary;
}

}  // namespace lmzoo
