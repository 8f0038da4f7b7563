// GPT (Radford et al. 2018) at Hugging Face: post-norm and no final norm; matrices stored [in, out].
#include "base/check.h"
#include "train/exchange/huggingface/family.h"
#include "train/exchange/huggingface/gpt_names.h"

namespace lmzoo {
namespace {

void read_gpt1(ConfigKeys& keys, const FoundTensors& found, YamlNode& options) {
  const std::string afn = keys.text("afn", "gelu");
  const bool known = afn == "gelu" || afn == "relu" || afn == "silu" || afn == "swish";
  if (!known) {
    keys.fail("afn", "is '" + afn + "'; legal: gelu (which is the tanh kind here), relu, silu, swish");
  }
  put(options, "layers", keys.integer("n_layer|num_hidden_layers", 12));
  put(options, "width", keys.integer("n_embd|hidden_size", 768));
  put(options, "heads", keys.integer("n_head|num_attention_heads", 12));
  put(options, "activation", afn == "gelu" ? "gelu_tanh" : afn == "relu" ? "relu" : "silu");
  put(options, "norm_eps", keys.real("layer_norm_epsilon", 1e-5, more_than(0)));
  put(options, "pre_norm", false);
  put(options, "positions", "learned");
  put(options, "max_length", keys.integer("n_positions|max_position_embeddings", 512));
  put(options, "vocab_size", keys.integer("vocab_size", 40478));
  put_output(keys, found, {keys.boolean("tie_word_embeddings", true), "OpenAIGPTLMHeadModel"}, options);
  put(options, "dropout", keys.real("resid_pdrop", 0.1, half_open(0, 1)));
  put(options, "attention_dropout", keys.real("attn_pdrop", 0.1, half_open(0, 1)));
  put(options, "embedding_dropout", keys.real("embd_pdrop", 0.1, half_open(0, 1)));
  put(options, "init_std", keys.real("initializer_range", 0.02, more_than(0)));
  keys.harmless({"n_ctx", "n_special", "predict_special_tokens"});
}

void write_gpt1(const OptionValues& options, Json& config) {
  const std::string_view family = "openai-gpt";
  const int64_t width = options.integer("width");
  options.only("pre_norm", "false", family);
  write_gpt_keys(options, family, config);
  options.only("ffn_width", std::to_string(4 * width), family);
  check(!options.has("attention_scale"), "model.attention_scale is set, but openai-gpt has the usual one");
  const std::string activation = options.text("activation");
  check(activation == "gelu_tanh" || activation == "relu" || activation == "silu",
        "model.activation is {}, but openai-gpt has gelu_tanh, relu or silu",
        activation);
  config["afn"] = activation == "gelu_tanh" ? "gelu" : activation;
}

NameMap names_gpt1(const OptionValues& options) {
  NameMap map = gpt_names(options,
                          {.anchor = "tokens_embed.weight",
                           .positions = "@positions_embed.weight",
                           .tokens = "@tokens_embed.weight",
                           .tied_tokens = "@tokens_embed.weight|lm_head.weight"});
  map.heads = {
      {"classification", "OpenAIGPTForSequenceClassification", {{"output.weight", {"score.weight"}}}}};
  map.ignored.push_back({"*position_ids", "a constant: 0, 1, 2, ..."});
  return map;
}

}  // namespace

const Family& gpt1_family() {
  static const Family family{
      "openai-gpt", "gpt", "OpenAIGPTModel", "OpenAIGPTLMHeadModel", read_gpt1, write_gpt1, names_gpt1};
  return family;
}

}  // namespace lmzoo
