// What the files beside a vocabulary tell: tokenizer_config.json, special_tokens_map.json, added_tokens.json and, of
// config.json, which model it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/published/read/json_part.h"

namespace lmzoo::huggingface {

struct FolderHints {
  explicit FolderHints(const std::string& folder);

  // What the files name as a special token, e.g. as "pad_token": a string or an object with "content". Null pointer:
  // they are silent. A null value: there is none. special_tokens_map.json comes first, but counts only where
  // tokenizer_config.json has no added_tokens_decoder.
  const Json* named(const std::string& key) const;
  // Special tokens that have a name of the model's own: keys such as "image_token", and extra_special_tokens where it is
  // an object.
  std::vector<JsonPart> own_named() const;
  // The lists of other special tokens: extra_special_tokens, or else additional_special_tokens.
  struct Extras {
    std::vector<JsonPart> tokens;
    bool is_list = false;  // a file has such a list, be it empty
    std::vector<JsonPart>
        late;  // of special_tokens_map.json: those that do not make tokens of added_tokens.json special
  };
  Extras find_extras() const;

  bool flag(const char* key, bool absent) const;
  int64_t number(const char* key, int64_t absent, int64_t most) const;
  // "BertTokenizer", without "Fast"; empty when the files do not tell.
  std::string tokenizer_class() const;
  std::string model_type() const;  // empty likewise
  std::string path(const char* file) const { return folder + "/" + file; }

  std::string folder;
  Json config = Json::object();  // tokenizer_config.json
  Json map = Json::object();     // special_tokens_map.json
  Json added = Json::object();   // added_tokens.json: {"token": id}
  Json model = Json::object();   // config.json
};

inline constexpr const char* kRoleKeys[] = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

}  // namespace lmzoo::huggingface
