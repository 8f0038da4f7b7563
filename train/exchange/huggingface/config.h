// A Hugging Face folder's config.json as a model of the zoo, and back.
//
// Families (config.json's model_type): bert, roberta, distilbert, openai-gpt, gpt2, llama, t5 (v1.1 and
// Flan-T5 too). Every key is one of three: it becomes an option, with the default that transformers 5.23
// would fill in when it is absent; it is known not to change what the model computes; or it is refused by
// name. What a checkpoint may have or not (pooler, heads, a projection of its own) is read off its tensors.
//
// Legend: D width, V vocabulary.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "io/yaml.h"
#include "train/exchange/ask_options.h"

namespace lmzoo {

// Special ids as config.json names them; a tokenizer's own files come first where there are any.
struct ConfigIds {
  int64_t vocab_size = 0;  // V
  std::optional<int64_t> pad, bos, eos, cls, sep, mask, unk;
};

// What the weights were trained to predict, as far as it is no language model.
struct TaskHead {
  std::string architecture;         // "BertForSequenceClassification"; empty: a language model or a bare body
  std::vector<std::string> labels;  // id2label by index; LABEL_0, ... where it is absent
  std::string problem_type;         // as in config.json; empty: absent
  double dropout = 0;               // before the output layer
};

struct ModelFromFolder {
  std::string folder;
  std::string family;  // Hugging Face's model_type: chooses the map of names
  std::string type;    // of the zoo: bert, gpt, t5
  YamlNode options;    // a mapping of what the YAML's section `model` has beside `type`
  TaskHead task;
  ConfigIds ids;
  TextsAsked asked;
};

// Whether `path` is a folder with a config.json that names a model_type.
bool is_huggingface_folder(const std::string& path);

// InputError `FOLDER/config.json: key: what is wrong` for what is not understood.
ModelFromFolder read_huggingface_config(const std::string& folder);

// What of a family is wanted; either may be empty.
struct FamilyWish {
  std::string family{};     // this one
  std::string objective{};  // one that has a head for it, if there is one
};
// The family that can express these options of a zoo model (RoBERTa's offset, DistilBERT's missing token
// types tell them from BERT); InputError naming the option when there is none.
std::string huggingface_family(const std::string& type, const YamlNode& options, const FamilyWish& wish);

// config.json of a model that is exported. `model.options` must be complete (as dump_fields gives them).
// `architecture` is the class that loads it: "GPT2LMHeadModel".
Json write_huggingface_config(const ModelFromFolder& model, const std::string& architecture);

}  // namespace lmzoo
