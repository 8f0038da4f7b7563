// The decoders of a pipeline: pieces back to text. Known: ByteLevel, WordPiece, Metaspace, BPEDecoder,
// ByteFallback, Fuse, Strip, Replace, Sequence.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tokenizer/published/read/json_part.h"

namespace lmzoo::huggingface {

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Rewrites the list of pieces; what is left in the end is joined.
  virtual void apply(std::vector<std::string>& pieces) const = 0;
};
using DecoderPtr = std::unique_ptr<const Decoder>;

DecoderPtr read_decoder(const JsonPart& part);

}  // namespace lmzoo::huggingface
