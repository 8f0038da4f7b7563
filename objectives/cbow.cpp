// Continuous bag of words (Mikolov et al. 2013): a word is predicted from the mean, or the sum, of the words
// around it.
#include "objectives/parts/word_objective.h"

namespace lmzoo {

void register_cbow(Registry& registry) {
  registry.add(word_objective_kind(std::string(kCbow),
                                   "predict a word from the mean of the words around it (word vectors)",
                                   /*is_cbow=*/true));
}

}  // namespace lmzoo
