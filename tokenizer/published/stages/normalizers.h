// The normalizers of a pipeline: rewriting text before it is cut into words. Known: BertNormalizer, NFC, NFD,
// NFKC, NFKD, Lowercase, StripAccents, Strip, Replace, Prepend, Precompiled (SentencePiece's rules) and
// Sequences of them. Each changes text and origins as the one of the same name in Hugging Face's `tokenizers`
// does, where that one is odd too.
#pragma once

#include <memory>

#include "tokenizer/published/read/json_part.h"
#include "tokenizer/published/unicode/aligned_text.h"

namespace lmzoo::huggingface {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(AlignedText& text) const = 0;
};
using NormalizerPtr = std::unique_ptr<const Normalizer>;

// Refuses a type or an option that is not understood, by its name.
NormalizerPtr read_normalizer(const JsonPart& part);

// The bytes of SentencePiece's compiled rules (io/charsmap.h), checked; `part` is for messages.
NormalizerPtr make_precompiled(std::string charsmap, const JsonPart& part);

// Trims white space at the ends.
void strip(AlignedText& text, bool left, bool right);

}  // namespace lmzoo::huggingface
