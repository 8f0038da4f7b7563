// What each class of transformers 5.23 makes of a vocabulary and of tokenizer_config.json.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tokenizer/published/read/kinds.h"
#include "tokenizer/published/read/token_list.h"

namespace lmzoo::huggingface {

// The parts that a class takes over; all else it makes anew.
struct Taken {
  Json vocabulary;  // {"piece": id} or [["piece", score]]
  Json merges;      // of BPE
  Json charsmap;    // of Unigram: base64; null: none
};

// Of a whole tokenizer.json. InputError when its model is not the kind's.
Taken taken_of(Json tokenizer, ClassKind kind, const std::string& file);

// A tokenizer.json without added tokens and without a frame.
Json rebuilt(ClassKind kind, Taken taken, const FolderHints& hints);

// The frame of special tokens ("post_processor") that the kind's class sets; null: it sets none. `is_written`: there is a
// tokenizer.json, whose frame counts where add_bos_token and add_eos_token would make one.
Json frame_of(ClassKind kind, const FolderHints& hints, const TokenList& tokens, bool is_written);

// Parts that reading older files needs, too.
Json metaspace(const char* scheme, bool split);
// {"type": "TemplateProcessing", ...}; each text is written as "$A" or "$B", every other word as a special
// token (":1" behind one: its segment).
Json template_of(const std::vector<std::string>& single,
                 const std::vector<std::string>& pair,
                 const std::vector<std::pair<std::string, int64_t>>& tokens);

}  // namespace lmzoo::huggingface
