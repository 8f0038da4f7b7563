// What sentence-transformers writes beside a model: modules.json names the steps from a text to its vector, each with a
// folder of its own (1_Pooling/config.json), sentence_bert_config.json how the text is read, and
// config_sentence_transformers.json what is written before it.
#pragma once

#include <optional>
#include <string>

#include "train/exchange/ask_options.h"

namespace lmzoo {

// Nothing when the folder has no modules.json. InputError `FILE: key: ...` for a step that would change vectors and is
// not known here (a dense layer, several poolings side by side).
std::optional<TextsAsked> read_sentence_encoder(const std::string& folder);

// Whether a run says of its texts' vectors what is not usual.
bool encodes_sentences(const AskOptions& ask);

// The same files, for a folder that is exported.
void write_sentence_encoder(const std::string& folder, int64_t width, const TextsAsked& encoder);

}  // namespace lmzoo
