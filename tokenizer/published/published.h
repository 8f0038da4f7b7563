// Tokenizers of published checkpoints, with exactly the ids (and offsets) that Hugging Face's `tokenizers`
// gives.
//
// A folder is read from the first of these that it has:
//
//   tokenizer.json                    the whole pipeline; anything in it that is not understood is refused by
//   name vocab.txt                         BERT's WordPiece vocab.json + merges.txt           GPT-2's
//   byte-level BPE, or GPT-1's lower-cased one (pieces end in </w>) spiece.model or tokenizer.model
//   SentencePiece: T5 (with <extra_id_i> behind its pieces), LLaMA (bytes for what
//                                     is unknown)
//
// tokenizer_config.json, special_tokens_map.json and added_tokens.json beside them tell what the special
// tokens are for. The tokenizer's files() are tokenizer.json and tokenizer_config.json, so what save() writes
// is a folder that `tokenizers` and transformers load with the same ids.
//
// encode_marked() is what Hugging Face's encode(..., add_special_tokens=False) does: names of special tokens
// in the text become their ids. encode() leaves them text.
#pragma once

#include <memory>
#include <string>

#include "tokenizer/tokenizer.h"

namespace lmzoo {

// Whether load_huggingface_tokenizer() finds a tokenizer there.
bool has_huggingface_tokenizer(const std::string& folder);

// Nothing in the folder is trusted: InputError names the file, what is wrong and what is legal.
std::shared_ptr<const Tokenizer> load_huggingface_tokenizer(const std::string& folder);

}  // namespace lmzoo
