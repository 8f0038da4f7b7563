#include "tokenizer/vocabulary_of.h"

#include <vector>

namespace lmzoo {

Vocabulary vocabulary_of(const Tokenizer& tokenizer) {
  Vocabulary vocabulary = tokenizer.vocabulary();
  const std::vector<int64_t> word{0};  // any id: only what stands around it counts
  const FramedText pair = tokenizer.with_specials(word, word);
  const auto part = [&](int64_t begin, int64_t end) {
    return std::vector<int64_t>(pair.ids.begin() + begin, pair.ids.begin() + end);
  };
  vocabulary.inputs = InputTemplate{.before = part(0, pair.first),
                                    .between = part(pair.first + 1, pair.second),
                                    .after = part(pair.second + 1, std::ssize(pair.ids)),
                                    .second_type = pair.token_types[static_cast<size_t>(pair.second)] == 1};
  return vocabulary;
}

}  // namespace lmzoo
