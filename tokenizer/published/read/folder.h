// A folder's tokenizer by the one rule that counts here: what transformers 5.23 makes of all its files together. Import,
// export and a folder that is asked directly go through it.
//
//   tokenizer_class      which parts of tokenizer.json count (kinds.h, rebuild.h)
//   added tokens         of four files, by one rule (token_list.h)
//   special_tokens_map   before tokenizer_config.json, unless that one has added_tokens_decoder
#pragma once

#include <string>
#include <vector>

#include "tokenizer/published/read/kinds.h"

namespace lmzoo::huggingface {

struct ReadFolder {
  Json tokenizer;     // a tokenizer.json that says all of it
  std::string bytes;  // the same; those of the folder's own file where that one says the same already
  Json config;        // a tokenizer_config.json that goes with it and names the roles
  std::vector<NamedToken> named;
};

// The folder must have a tokenizer. InputError by file and key for what cannot be honored.
ReadFolder read_folder(const FolderHints& hints);

}  // namespace lmzoo::huggingface
