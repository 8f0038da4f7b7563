// A SentencePiece model as a Tokenizer: its own ids for its pieces, and overlaid ids for the special tokens
// that it lacks (libsentencepiece cannot add pieces to a model).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tokenizer/tokenizer.h"

namespace lmzoo {

struct Overlay {
  int64_t sentinels = 100;   // appended when the model has none of its own
  bool add_specials = true;  // append the other special tokens that it lacks
};

// `model`: the bytes of a .model file, checked here before libsentencepiece sees them; `name` is for
// messages.
std::shared_ptr<const Tokenizer> make_sentencepiece_tokenizer(std::string model,
                                                              const Overlay& overlay,
                                                              const std::string& name);

}  // namespace lmzoo
