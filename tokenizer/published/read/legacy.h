// Older files of published tokenizers, brought into the one format that is read: each function makes the
// tokenizer.json that Hugging Face's converter makes of these files, but for the tokens and the frame that the files
// beside them tell of.
#pragma once

#include <cstdint>
#include <string>

#include "tokenizer/published/read/kinds.h"

namespace lmzoo::huggingface {

// A tokenizer.json, and whose it is: where the files do not tell the class, the vocabulary does.
struct Legacy {
  Json tokenizer;
  ClassKind kind = ClassKind::as_written;
};

// Whether one of the files that from_legacy_files() reads is there.
bool has_legacy_files(const std::string& folder);
// Of vocab.txt, vocab.json + merges.txt, spiece.model, tokenizer.model or sentencepiece.bpe.model.
Legacy from_legacy_files(const FolderHints& hints);
// Of a SentencePiece model's bytes; `name` is for messages.
Legacy from_sentencepiece(const std::string& bytes, const std::string& name, const FolderHints& hints);

// An entry of "added_tokens":
Json added_token(int64_t id, const std::string& content, bool special);

}  // namespace lmzoo::huggingface
