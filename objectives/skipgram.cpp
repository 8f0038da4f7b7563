// Skip-gram (Mikolov et al. 2013): a word is predicted from each word around it, one at a time. (word2vec's
// code has it this way round; the paper predicts the words around from the word. Over a text it is the same
// set of pairs.)
#include "objectives/parts/word_objective.h"

namespace lmzoo {

void register_skipgram(Registry& registry) {
  registry.add(word_objective_kind(
      std::string(kSkipgram), "predict a word from each word around it (word vectors)", /*is_cbow=*/false));
}

}  // namespace lmzoo
