// Older files of published tokenizers, brought into the one format that is read: each function makes the
// tokenizer.json that Hugging Face's converter makes of these files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/published/read/json_part.h"

namespace lmzoo::huggingface {

// What the files beside a vocabulary tell (tokenizer_config.json, special_tokens_map.json,
// added_tokens.json).
struct FolderHints {
  explicit FolderHints(const std::string& folder);

  // The name of a special token, e.g. of "pad_token"; empty when the files do not give one.
  std::string token(const std::string& key) const;
  bool flag(const char* key, bool absent) const;
  int64_t number(const char* key, int64_t absent, int64_t most) const;
  // "BertTokenizer", without "Fast"; empty when the files do not tell.
  std::string tokenizer_class() const;

  std::string folder;
  Json config = Json::object();  // tokenizer_config.json
  Json map = Json::object();     // special_tokens_map.json
  Json added = Json::object();   // added_tokens.json: {"token": id}
};

// Whether one of the files that from_legacy_files() reads is there.
bool has_legacy_files(const std::string& folder);
// Of vocab.txt, vocab.json + merges.txt, spiece.model or tokenizer.model.
Json from_legacy_files(const FolderHints& hints);

// The parts that they share. An entry of "added_tokens":
Json added_token(int64_t id, const std::string& content, bool special);
// {"type": "TemplateProcessing", ...}; each text is written as "$A" or "$B", every other word as a special
// token (":1" behind one: its segment).
Json template_of(const std::vector<std::string>& single,
                 const std::vector<std::string>& pair,
                 const std::vector<std::pair<std::string, int64_t>>& tokens);
// Of a SentencePiece model's bytes; `name` is for messages.
Json from_sentencepiece(const std::string& bytes, const std::string& name, const FolderHints& hints);

}  // namespace lmzoo::huggingface
