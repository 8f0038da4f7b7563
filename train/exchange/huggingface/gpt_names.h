// What GPT-1 and GPT-2 call the same: keys of config.json; the tensors of their blocks (Conv1D matrices,
// [in, out]) and the tie of the embedding with the output projection.
#pragma once

#include <string_view>

#include "train/exchange/huggingface/config_keys.h"
#include "train/exchange/huggingface/names.h"

namespace lmzoo {

// What the two call differently; names are of static storage.
struct GptTables {
  std::string_view anchor;     // NameMap::anchor
  std::string_view positions;  // with @ for the prefix, as all of these
  std::string_view tokens;
  std::string_view tied_tokens;  // tokens|output projection
};
// InputError for options that neither has.
void write_gpt_keys(const OptionValues& options, std::string_view family, Json& config);

NameMap gpt_names(const OptionValues& options, const GptTables& tables);

}  // namespace lmzoo
