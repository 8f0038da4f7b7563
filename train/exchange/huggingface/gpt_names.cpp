#include "train/exchange/huggingface/gpt_names.h"

#include <string>

namespace lmzoo {

void write_gpt_keys(const OptionValues& options, std::string_view family, Json& config) {
  const int64_t width = options.integer("width"), heads = options.integer("heads");
  options.only("norm", "layer", family);
  options.only("bias", "true", family);
  options.only("attention_bias", "true", family);
  options.only("positions", "learned", family);
  options.only("kv_heads", std::to_string(heads), family);
  options.only("head_width", std::to_string(width / heads), family);
  config["n_layer"] = options.integer("layers");
  config["n_embd"] = width;
  config["n_head"] = heads;
  config["layer_norm_epsilon"] = options.real("norm_eps");
  config["n_positions"] = options.integer("max_length");
  config["n_ctx"] = options.integer("max_length");
  config["vocab_size"] = options.integer("vocab_size");
  config["tie_word_embeddings"] = options.flag("tie_embeddings");
  config["resid_pdrop"] = options.real("dropout");
  config["attn_pdrop"] = options.real("attention_dropout", options.real("dropout"));
  config["embd_pdrop"] = options.real("embedding_dropout", options.real("dropout"));
  config["initializer_range"] = options.real("init_std");
}

NameMap gpt_names(const OptionValues& options, const GptTables& tables) {
  NameMap map;
  map.prefixes = {"transformer.", ""};
  map.anchor = tables.anchor;
  map.body = {
      {"positions.weight", {tables.positions}},
      {"stack.block{n}.attention.qkv.*", {"@h.{n}.attn.c_attn.*"}, true},
      {"stack.block{n}.attention.out.*", {"@h.{n}.attn.c_proj.*"}, true},
      {"stack.block{n}.attention_norm.*", {"@h.{n}.ln_1.*"}},
      {"stack.block{n}.feed_forward.in.*", {"@h.{n}.mlp.c_fc.*"}, true},
      {"stack.block{n}.feed_forward.out.*", {"@h.{n}.mlp.c_proj.*"}, true},
      {"stack.block{n}.feed_forward_norm.*", {"@h.{n}.ln_2.*"}},
  };
  if (options.flag("tie_embeddings", true)) {
    map.body.push_back({"tokens.weight", {tables.tied_tokens}});
  } else {
    map.body.push_back({"tokens.weight", {tables.tokens}});
    map.optional = {{"head.weight", {"lm_head.weight"}}};
  }
  map.ignored = {{"*attn.bias", "a constant: the causal mask"}};
  return map;
}

}  // namespace lmzoo
