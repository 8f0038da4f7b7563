// The post-processor of a pipeline: which special tokens stand around one text or two, and which segment each
// token is of. Known: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, Sequence.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "tokenizer/published/pieces/piece_table.h"
#include "tokenizer/published/read/json_part.h"

namespace lmzoo::huggingface {

struct FramePart {
  enum class Kind { first, second, special } kind = Kind::first;
  std::vector<PieceId> ids{};  // of a special token
  int64_t token_type = 0;
};

struct Frame {
  std::vector<FramePart> single{{FramePart::Kind::first}};
  std::vector<FramePart> pair{{FramePart::Kind::first}, {FramePart::Kind::second, {}, 1}};
  bool is_given = false;
  // Offsets of byte-level tokens leave out the spaces at their ends, except one that was put before the text.
  bool trims_offsets = false;
  bool keeps_prefix_space = false;
};

// `ids`: all ids are below.
Frame read_frame(const JsonPart& part, size_t ids);

}  // namespace lmzoo::huggingface
