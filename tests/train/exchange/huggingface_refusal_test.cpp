// Published checkpoints that do not fit: keys of config.json that change what is computed and are not
// understood, and tensors that are renamed, reshaped, missing, of another type or cut off.
#include <filesystem>
#include <random>

#include "io/json.h"
#include "support/catch.h"
#include "train/debug_configs.h"
#include "train/exchange/huggingface_support.h"
#include "train/run/published.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

// A copy of a case with a changed config.json.
std::string with_config(const TempDir& folder, const std::string& name, const Json& changes) {
  Json config = read_json(published(name) + "/config.json");
  config.update(changes);
  std::filesystem::create_directories(folder / name);
  write_file((folder / name) + "/config.json", config.dump());
  std::filesystem::copy_file(published(name) + "/model.safetensors",
                             (folder / name) + "/model.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  return folder / name;
}

std::string refusal_of(const std::string& folder) {
  try {
    load_huggingface(folder, registry());
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

struct BadConfig {
  std::string name;
  Json changes;
  std::string message;
};

// One tensor of a file, changed.
struct Mutant {
  std::string tensor;
  std::vector<TensorView> views;
};

Mutant mutant(const SafetensorsFile& file, int kind, std::mt19937_64& random) {
  Mutant result{"", {file.tensors().begin(), file.tensors().end()}};
  size_t index = random() % result.views.size();
  while (result.views[index].shape.empty() || result.views[index].name.ends_with("position_ids")) {
    index = random() % result.views.size();
  }
  TensorView& view = result.views[index];
  result.tensor = view.name;
  if (kind == 0) {
    view.name += "_";
  } else if (kind == 1) {
    result.views.erase(result.views.begin() + static_cast<int64_t>(index));
  } else if (kind == 2) {
    view.shape.push_back(1);
  } else if (kind == 3) {
    view.bytes = view.bytes.first(view.bytes.size() / static_cast<size_t>(view.shape[0]));
    view.shape[0] = 1;
  } else {
    view.dtype = Dtype::i32;
  }
  return result;
}

}  // namespace

TEST_CASE("keys of config.json that change what is computed are understood or refused by name") {
  const std::vector<BadConfig> bad{
      {"bert_lm",
       {{"position_embedding_type", "relative_key"}},
       "position_embedding_type: is \"relative_key\", but"},
      {"bert_lm", {{"hidden_act", "tanh"}}, "hidden_act: is 'tanh'; legal: gelu"},
      {"bert_lm", {{"is_decoder", true}}, "is_decoder: is true, but"},
      {"bert_lm", {{"embedding_size", 8}}, "embedding_size: is no key of bert that lmzoo knows"},
      {"bert_lm", {{"hidden_size", -4}}, "hidden_size: is -4, but must be a whole number, at least 1"},
      {"bert_lm", {{"hidden_size", 3.5}}, "hidden_size: is 3.5"},
      {"bert_lm", {{"layer_norm_eps", 0}}, "layer_norm_eps: is 0"},
      {"bert_lm",
       {{"num_attention_heads", 5}},
       "config.json: width: is 16 but must be a multiple of heads = 5"},
      {"bert_lm",
       {{"model_type", "albert"}},
       "model_type: no family 'albert' of Hugging Face's; known: bert"},
      {"bert_lm", {{"quantization_config", {{"bits", 4}}}}, "quantized checkpoints are not supported"},
      {"bert_lm", {{"auto_map", {{"AutoModel", "x.Y"}}}}, "checkpoints with code of their own"},
      {"bert_lm", {{"architectures", {"BertForNextSentencePrediction"}}}, "whose head is not supported"},
      {"bert_classifier",
       {{"id2label", {{"0", "no"}, {"2", "yes"}}}},
       "id2label: has no name for label 1 of 2"},
      {"roberta_lm", {{"hidden_act", "relu"}}, "hidden_act: is 'relu', but the masked-LM head has gelu"},
      {"gpt2_lm",
       {{"scale_attn_by_inverse_layer_idx", true}},
       "scale_attn_by_inverse_layer_idx: is true, but"},
      {"gpt2_lm", {{"add_cross_attention", true}}, "add_cross_attention: is true, but"},
      {"gpt2_lm", {{"hidden_size", 20}}, "hidden_size: is 20, but n_embd, which means the same, is 16"},
      {"gpt1_lm", {{"afn", "gelu_new"}}, "afn: is 'gelu_new'; legal: gelu"},
      {"llama_lm",
       {{"rope_scaling", {{"rope_type", "yarn"}, {"factor", 4.0}}}, {"rope_parameters", nullptr}},
       "has rope_type 'yarn', which is not supported; supported are default, linear, dynamic, llama3"},
      {"llama_lm", {{"rope_scaling", {{"type", "longrope"}}}, {"rope_parameters", nullptr}}, "'longrope'"},
      {"llama_lm", {{"sliding_window", 16}}, "sliding_window: is 16, but"},
      {"llama_lm", {{"hidden_act", "relu"}}, "hidden_act: is 'relu'; legal: silu"},
      {"t5_lm", {{"feed_forward_proj", "gated-relu"}}, "feed_forward_proj: is 'gated-relu'; legal: relu"},
      {"t5_lm", {{"decoder_start_token_id", 5}}, "decoder_start_token_id: is 5, but"},
      {"t5_lm", {{"is_encoder_decoder", false}}, "is_encoder_decoder: is false, but"},
  };
  for (const BadConfig& config : bad) {
    INFO(config.changes.dump());
    const TempDir folder;
    const std::string message = refusal_of(with_config(folder, config.name, config.changes));
    CHECK_THAT(message, Contains(config.message));
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE(
    "keys that change nothing are passed over, and dynamic rotary scaling within the learned length is "
    "none") {
  const TempDir folder;
  CHECK(refusal_of(with_config(folder,
                               "gpt2_lm",
                               {{"task_specific_params", {{"a", 1}}},
                                {"n_ctx", 12},
                                {"top_k", 50},
                                {"reorder_and_upcast_attn", true},
                                {"torch_dtype", "float16"}}))
            .empty());
  CHECK(refusal_of(with_config(folder,
                               "llama_lm",
                               {{"rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}},
                                {"rope_parameters", nullptr},
                                {"pretraining_tp", 2}}))
            .empty());
}

TEST_CASE("200 checkpoints with a renamed, missing, reshaped or retyped tensor are refused by its name") {
  std::mt19937_64 random(11);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string& name = published_cases()[static_cast<size_t>(i) % published_cases().size()];
    const SafetensorsFile file(published(name) + "/model.safetensors");
    const Mutant made = mutant(file, i % 5, random);
    const TempDir folder;
    write_safetensors(folder / "model.safetensors", made.views);
    std::filesystem::copy_file(published(name) + "/config.json", folder / "config.json");
    const std::string message = refusal_of(folder.path().string());
    INFO(name << " " << i % 5 << " " << made.tensor << ": " << message);
    // The tensor, or its head as a whole when a changed one is what tells that there is one.
    const bool optional = made.tensor.starts_with("cls.") || made.tensor.starts_with("lm_head") ||
                          made.tensor.starts_with("vocab_") ||
                          made.tensor.find("pooler") != std::string::npos;
    CHECK((message.find(made.tensor) != std::string::npos || optional));
    refused += message.empty() ? 0 : 1;
  }
  CHECK(refused >= 195);
}

TEST_CASE("a weights file that is cut off anywhere is refused") {
  const std::string bytes = read_file(published("gpt2_lm") + "/model.safetensors");
  for (int i = 0; i < 20; ++i) {
    const TempDir folder;
    write_file(folder / "model.safetensors", bytes.substr(0, bytes.size() * static_cast<size_t>(i) / 20));
    std::filesystem::copy_file(published("gpt2_lm") + "/config.json", folder / "config.json");
    CHECK(!refusal_of(folder.path().string()).empty());
  }
}
