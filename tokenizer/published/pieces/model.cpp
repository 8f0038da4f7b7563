#include "tokenizer/published/pieces/model.h"

#include "base/utf8.h"

namespace lmzoo::huggingface {

PieceTable read_vocabulary(const JsonPart& part) {
  part.require(part.json().is_object(), "must be an object of pieces and their ids");
  const auto count = static_cast<int64_t>(part.json().size());
  part.require(count > 0, "has no piece");
  // Some ids may be unused, but a file must not decide how much memory its holes take.
  const int64_t most = 2 * count + 65'536;
  PieceTable pieces;
  pieces.reserve(static_cast<size_t>(count));
  for (const auto& [text, id] : part.json().items()) {
    part.require(id.is_number_integer() && id >= 0 && id <= most,
                 "\"{}\": an id must be a whole number from 0 to {} ({} pieces)",
                 printable(text),
                 most,
                 count);
    part.require(pieces.add(text, id.get<PieceId>()),
                 "\"{}\": id {} is given twice",
                 printable(text),
                 id.get<PieceId>());
  }
  return pieces;
}

std::unique_ptr<PieceModel> read_model(const JsonPart& part) {
  // Old files of WordPiece and BPE do not name the type.
  const std::string type = part.text_or("type",
                                        part.has("merges")                     ? "BPE"
                                        : part.has("max_input_chars_per_word") ? "WordPiece"
                                                                               : "Unigram");
  if (type == "WordPiece") {
    return read_word_piece(part);
  }
  if (type == "BPE") {
    return read_bpe(part);
  }
  part.require(type == "Unigram",
               "the model \"{}\" is not known here; known are WordPiece, BPE, Unigram",
               printable(type));
  return read_unigram(part);
}

}  // namespace lmzoo::huggingface
