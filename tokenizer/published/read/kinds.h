// Which class of transformers 5.23 reads a folder, as its AutoTokenizer chooses it.
//
// Many classes take nothing but the vocabulary (and merges) of a tokenizer.json and build all else anew from
// tokenizer_config.json; those that the models here use are kinds of their own. The others read tokenizer.json as it is
// written. Classes that are Python and cut words by rules of their own are refused by name.
#pragma once

#include <string>
#include <vector>

#include "tokenizer/published/read/hints.h"
#include "tokenizer/published/stages/added_tokens.h"

namespace lmzoo::huggingface {

enum class ClassKind { as_written, bert, mpnet, roberta, gpt2, gpt1, llama, t5, xlm_roberta };

// `tokenizer_json`: its bytes; empty where there is none.
ClassKind kind_of(const FolderHints& hints, const std::string& tokenizer_json);

// "BertTokenizer" for ClassKind::bert.
std::string class_name(ClassKind kind);

// A special token by its role.
struct NamedToken {
  std::string key;  // "cls_token"
  enum class Source { silent, none, given } source = Source::silent;
  AddedToken token{};   // where it is given, by a file or by the class; without its id
  bool is_name = true;  // given as a mere name, without flags
};

// Of all seven roles, in the order in which transformers adds them.
std::vector<NamedToken> named_tokens(ClassKind kind, const FolderHints& hints);

// A token of the files: "[PAD]", or an object with "content" and flags. `special`: what it is where it does not say.
AddedToken read_token(const JsonPart& part, bool special);
// The same of one that is special whatever it says.
AddedToken read_special_token(const JsonPart& part);

}  // namespace lmzoo::huggingface
