// Tags of words by a fine-tuned run.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "train/run/assemble.h"

namespace lmzoo {

using TaggedWords = std::vector<std::pair<std::string, std::string>>;  // word and tag

// Words of each text are what stands between its spaces. A word without tag ("") lies beyond the longest
// sequence.
std::vector<TaggedWords> tag_texts(const Parts& parts,
                                   const Tokenizer& tokenizer,
                                   const std::vector<std::string>& texts);

}  // namespace lmzoo
