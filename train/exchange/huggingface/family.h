// What lmzoo knows of a family of Hugging Face's: its config.json in both directions and its names. One small
// file a family (bert.cpp, gpt2.cpp, ...) makes one of these.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"
#include "io/tensor_files.h"
#include "train/exchange/huggingface/config_keys.h"
#include "train/exchange/huggingface/names.h"

namespace lmzoo {

// Which tensors a checkpoint has, for what config.json does not say. Without weights (only a config.json) it
// has none.
class FoundTensors {
 public:
  FoundTensors(const TensorFiles* files, const NameMap& names);

  bool any() const { return files_ != nullptr; }
  bool has(std::string_view theirs) const;  // "@pooler.dense.weight": one of the alternatives is there
  // Both are there with the same bytes.
  bool equal(std::string_view a, std::string_view b) const;
  const std::string& prefix() const { return prefix_; }

 private:
  const TensorView* find(std::string_view theirs) const;

  const TensorFiles* files_;
  std::string prefix_;
};

struct Family {
  std::string_view model_type;  // Hugging Face's
  std::string_view type;        // of the zoo
  std::string_view body;        // class without a head: "BertModel"
  std::string_view language;    // class with the language-model head: "BertForMaskedLM"
  // config.json -> options of the zoo's model.
  void (*read)(ConfigKeys& keys, const FoundTensors& found, YamlNode& options);
  // Options, complete, -> the keys of config.json that this family has. InputError for what it cannot say.
  void (*write)(const OptionValues& options, Json& config);
  NameMap (*names)(const OptionValues& options);
};

const Family& bert_family();
const Family& roberta_family();
const Family& distilbert_family();
const Family& electra_family();
const Family& gpt1_family();
const Family& gpt2_family();
const Family& llama_family();
const Family& t5_family();

const std::vector<const Family*>& families();
// InputError listing the known.
const Family& family_called(const std::string& model_type);

// Activations by Hugging Face's names: "gelu" (erf), "gelu_new" (tanh), "relu", "silu". The key is for the
// message.
std::string read_activation(ConfigKeys& keys, std::string_view key, std::string_view fallback);
std::string write_activation(const OptionValues& options, std::string_view family);

// The output projection: tied to the embedding, one of its own, or, in the weights of a body or of a task, none.
struct OutputKind {
  bool tied = true;
  std::string_view language;  // the class that always has one, as Family::language
};
void put_output(ConfigKeys& keys, const FoundTensors& found, const OutputKind& kind, YamlNode& options);

// Keys that BERT, RoBERTa and ELECTRA share.
struct BertDefaults {
  int64_t width = 768, heads = 12, ffn_width = 3072;
  int64_t vocab_size = 30522;
  int64_t positions_before_first = 0;  // of max_position_embeddings
};
void read_bert_keys(ConfigKeys& keys, const BertDefaults& defaults, YamlNode& options);
void write_bert_keys(const OptionValues& options, std::string_view family, Json& config);
// Refuses embeddings of another width than the blocks.
void check_one_width(const OptionValues& options, std::string_view family);
// Rules of what they call alike.
std::vector<NameRule> bert_body();

}  // namespace lmzoo
