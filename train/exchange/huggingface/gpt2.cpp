// GPT-2 (Radford et al. 2019) at Hugging Face: pre-norm, learned positions, matrices stored [in, out] with
// queries, keys and values merged as they are here.
#include "base/check.h"
#include "train/exchange/huggingface/family.h"
#include "train/exchange/huggingface/gpt_names.h"

namespace lmzoo {
namespace {

void read_gpt2(ConfigKeys& keys, const FoundTensors& found, YamlNode& options) {
  const int64_t width = keys.integer("n_embd|hidden_size", 768);
  const double dropout = keys.real("resid_pdrop", 0.1, half_open(0, 1));
  put(options, "layers", keys.integer("n_layer|num_hidden_layers", 12));
  put(options, "width", width);
  put(options, "heads", keys.integer("n_head|num_attention_heads", 12));
  put(options, "ffn_width", keys.integer("n_inner", 4 * width));
  put(options, "activation", read_activation(keys, "activation_function", "gelu_new"));
  put(options, "norm_eps", keys.real("layer_norm_epsilon", 1e-5, more_than(0)));
  put(options, "pre_norm", true);
  put(options, "positions", "learned");
  put(options, "max_length", keys.integer("n_positions|max_position_embeddings", 1024));
  put(options, "vocab_size", keys.integer("vocab_size", 50257));
  put_output(keys, found, {keys.boolean("tie_word_embeddings", true), "GPT2LMHeadModel"}, options);
  put(options, "dropout", dropout);
  put(options, "attention_dropout", keys.real("attn_pdrop", 0.1, half_open(0, 1)));
  put(options, "embedding_dropout", keys.real("embd_pdrop", 0.1, half_open(0, 1)));
  put(options, "init_std", keys.real("initializer_range", 0.02, more_than(0)));
  if (!keys.boolean("scale_attn_weights", true)) {
    put(options, "attention_scale", 1.0);
  }
  keys.only(
      "scale_attn_by_inverse_layer_idx", false, "scores divided by the layer's number are not supported");
  keys.only("add_cross_attention", false, "cross-attention in this family is not supported");
  // Scores and their softmax are computed in float32 here in any case.
  keys.harmless({"reorder_and_upcast_attn", "n_ctx"});
}

void write_gpt2(const OptionValues& options, Json& config) {
  const std::string_view family = "gpt2";
  const int64_t width = options.integer("width");
  options.only("pre_norm", "true", family);
  write_gpt_keys(options, family, config);
  const double scale = options.real("attention_scale", 0);
  check(scale == 0 || scale == 1, "model.attention_scale is {:g}, but gpt2 has 1 or the usual one", scale);
  config["n_inner"] = options.integer("ffn_width", 4 * width);
  config["activation_function"] = write_activation(options, family);
  config["scale_attn_weights"] = scale == 0;
  config["scale_attn_by_inverse_layer_idx"] = false;
  config["reorder_and_upcast_attn"] = false;
}

NameMap names_gpt2(const OptionValues& options) {
  NameMap map = gpt_names(options,
                          {.anchor = "wte.weight",
                           .positions = "@wpe.weight",
                           .tokens = "@wte.weight",
                           .tied_tokens = "@wte.weight|lm_head.weight"});
  map.body.push_back({"stack.final_norm.*", {"@ln_f.*"}});
  map.heads = {
      {"classification", "GPT2ForSequenceClassification", {{"output.weight", {"score.weight"}}}},
      {"token_classification", "GPT2ForTokenClassification", {{"output.*", {"classifier.*"}}}},
  };
  map.ignored.push_back({"*attn.masked_bias", "a constant: the score of masked positions"});
  return map;
}

}  // namespace

const Family& gpt2_family() {
  static const Family family{
      "gpt2", "gpt", "GPT2Model", "GPT2LMHeadModel", read_gpt2, write_gpt2, names_gpt2};
  return family;
}

}  // namespace lmzoo
