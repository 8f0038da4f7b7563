#include "train/huggingface/gpt_names.h"

namespace lmzoo {

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
