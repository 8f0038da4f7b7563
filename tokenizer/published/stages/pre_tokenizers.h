// The pre-tokenizers of a pipeline: cutting normalized text into the words that the model then sees one by
// one. Known: BertPreTokenizer, ByteLevel, Metaspace, Whitespace, WhitespaceSplit, Split (patterns.h),
// Digits, Punctuation, CharDelimiterSplit, Sequence.
#pragma once

#include <memory>
#include <vector>

#include "tokenizer/published/read/json_part.h"
#include "tokenizer/published/unicode/aligned_text.h"
#include "tokenizer/published/unicode/patterns.h"

namespace lmzoo::huggingface {

// A text and the words in it, in order and not empty; what is in none is dropped.
struct Words {
  AlignedText text;
  std::vector<Range> words;
  // Memory of the pre-tokenizers.
  std::vector<Range> next{};
  std::vector<Stretch> stretches{};
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Words& words) const = 0;
};

struct PreTokenization {
  std::unique_ptr<const PreTokenizer> cut;  // null: the whole text is one word
  // The words' bytes become characters of their own before the model sees them (byte_level.h). ByteLevel does
  // that last, so it may stand at the end only.
  bool byte_level = false;
};

PreTokenization read_pre_tokenizer(const JsonPart& part);

}  // namespace lmzoo::huggingface
