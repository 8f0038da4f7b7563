// LLaMA (Touvron et al. 2023) at Hugging Face, versions 1 to 3 and their like: RMS norms, SwiGLU, rotary
// positions in halves, grouped queries.
#include <cmath>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "train/exchange/huggingface/family.h"

namespace lmzoo {
namespace {

constexpr double kTheta = 10000;

// The keys of rope_parameters (transformers 5) or rope_scaling (before).
void read_rope(ConfigKeys& keys, int64_t max_length, YamlNode& options) {
  const double outer_theta = keys.real("rope_theta", kTheta, more_than(1));
  const auto original = keys.optional_integer("original_max_position_embeddings", at_least(1));
  const Json* given = keys.find("rope_scaling|rope_parameters");
  if (given == nullptr) {
    put(options, "rope_theta", outer_theta);
    return;
  }
  if (!given->is_object()) {
    keys.fail("rope_scaling", "is no object");
  }
  ConfigKeys rope(*given, "config.json: rope_scaling");
  put(options, "rope_theta", rope.real("rope_theta", outer_theta, more_than(1)));
  rope.only("partial_rotary_factor", 1.0, "turning a part of each head is not supported");
  const std::string kind = rope.text("rope_type|type", "default");
  const bool known = kind == "default" || kind == "linear" || kind == "dynamic" || kind == "llama3";
  if (!known) {
    keys.fail(
        "rope_scaling",
        fmt::format(
            "has rope_type '{}', which is not supported; supported are default, linear, dynamic, llama3",
            printable(kind, 40)));
  }
  if (kind != "default") {
    YamlNode scaling = YamlNode::mapping();
    put(scaling, "kind", std::string_view(kind));
    put(scaling, "factor", rope.real("factor", 1, at_least(1)));
    if (kind == "llama3") {
      put(scaling, "low_freq_factor", rope.real("low_freq_factor", 1, more_than(0)));
      put(scaling, "high_freq_factor", rope.real("high_freq_factor", 4, more_than(0)));
      put(scaling,
          "original_length",
          original.value_or(rope.integer("original_max_position_embeddings", max_length)));
    } else {
      rope.harmless({"original_max_position_embeddings"});
    }
    options.entries.push_back({"rope_scaling", {}, std::move(scaling)});
  }
  rope.finish("llama's rope_scaling");
}

std::string read_gate(ConfigKeys& keys) {
  const std::string act = keys.text("hidden_act", "silu");
  if (act == "silu" || act == "swish") {
    return "swiglu";
  }
  if (act == "gelu") {
    return "geglu";
  }
  if (act == "gelu_new" || act == "gelu_pytorch_tanh") {
    return "geglu_tanh";
  }
  keys.fail(
      "hidden_act",
      fmt::format("is '{}'; legal: silu, swish, gelu, gelu_new, gelu_pytorch_tanh", printable(act, 40)));
}

void read_llama(ConfigKeys& keys, const FoundTensors& found, YamlNode& options) {
  const int64_t heads = keys.integer("num_attention_heads", 32);
  const int64_t max_length = keys.integer("max_position_embeddings", 2048);
  put(options, "layers", keys.integer("num_hidden_layers", 32));
  put(options, "width", keys.integer("hidden_size", 4096));
  put(options, "heads", heads);
  put(options, "kv_heads", keys.integer("num_key_value_heads", heads));
  if (const auto head_width = keys.optional_integer("head_dim", at_least(1))) {
    put(options, "head_width", *head_width);
  }
  put(options, "ffn_width", keys.integer("intermediate_size", 11008));
  put(options, "activation", read_gate(keys));
  put(options, "norm", "rms");
  put(options, "norm_eps", keys.real("rms_norm_eps", 1e-6, more_than(0)));
  put(options, "pre_norm", true);
  put(options, "bias", keys.boolean("mlp_bias", false));
  put(options, "attention_bias", keys.boolean("attention_bias", false));
  put(options, "positions", "rotary");
  read_rope(keys, max_length, options);
  put(options, "max_length", max_length);
  put(options, "vocab_size", keys.integer("vocab_size", 32000));
  put_output(keys, found, {keys.boolean("tie_word_embeddings", false), "LlamaForCausalLM"}, options);
  put(options, "dropout", 0.0);
  put(options, "attention_dropout", keys.real("attention_dropout", 0, half_open(0, 1)));
  put(options, "init_std", keys.real("initializer_range", 0.02, more_than(0)));
  keys.only("sliding_window", nullptr, "attention within a window is not supported");
  keys.only("rope_interleaved", false, "interleaved rotary positions are not those of this family");
  keys.harmless({"pretraining_tp", "max_sequence_length", "is_llama_config", "transformers.js_config"});
}

Json written_rope(const OptionValues& options) {
  const YamlNode* node = options.find("rope_scaling");
  if (node == nullptr || node->kind != YamlNode::Kind::mapping) {
    return nullptr;
  }
  const OptionValues scaling(*node);
  const std::string kind = scaling.text("kind");
  Json rope{{"rope_type", kind}, {"factor", scaling.real("factor")}};
  if (kind == "llama3") {
    rope["low_freq_factor"] = scaling.real("low_freq_factor");
    rope["high_freq_factor"] = scaling.real("high_freq_factor");
    rope["original_max_position_embeddings"] = scaling.integer("original_length");
  }
  return rope;
}

void write_llama(const OptionValues& options, Json& config) {
  const std::string_view family = "llama";
  options.only("norm", "rms", family);
  options.only("pre_norm", "true", family);
  options.only("positions", "rotary", family);
  check(!options.has("attention_scale"), "model.attention_scale is set, but llama has the usual one");
  const std::string activation = options.text("activation");
  check(activation == "swiglu" || activation == "geglu" || activation == "geglu_tanh",
        "model.activation is {}, but llama of Hugging Face has swiglu, geglu or geglu_tanh",
        activation);
  for (const char* dropout : {"dropout", "embedding_dropout"}) {
    check(options.real(dropout) == 0, "model.{} is not 0, but llama of Hugging Face has none", dropout);
  }
  const int64_t width = options.integer("width"), heads = options.integer("heads");
  config["num_hidden_layers"] = options.integer("layers");
  config["hidden_size"] = width;
  config["num_attention_heads"] = heads;
  config["num_key_value_heads"] = options.integer("kv_heads", heads);
  config["head_dim"] = options.integer("head_width", width / heads);
  config["intermediate_size"] = options.integer("ffn_width", 4 * width);
  config["hidden_act"] = activation == "swiglu"  ? "silu"
                         : activation == "geglu" ? "gelu"
                                                 : "gelu_pytorch_tanh";
  config["rms_norm_eps"] = options.real("norm_eps");
  config["mlp_bias"] = options.flag("bias");
  config["attention_bias"] = options.flag("attention_bias", options.flag("bias"));
  config["rope_theta"] = options.real("rope_theta");
  config["rope_scaling"] = written_rope(options);
  config["max_position_embeddings"] = options.integer("max_length");
  config["vocab_size"] = options.integer("vocab_size");
  config["tie_word_embeddings"] = options.flag("tie_embeddings");
  config["attention_dropout"] = options.real("attention_dropout", options.real("dropout"));
  config["initializer_range"] = options.real("init_std");
}

NameMap names_llama(const OptionValues& options) {
  NameMap map;
  map.prefixes = {"model.", ""};
  map.anchor = "embed_tokens.weight";
  map.body = {
      {"stack.block{n}.attention.qkv.*",
       {"@layers.{n}.self_attn.q_proj.*",
        "@layers.{n}.self_attn.k_proj.*",
        "@layers.{n}.self_attn.v_proj.*"}},
      {"stack.block{n}.attention.out.*", {"@layers.{n}.self_attn.o_proj.*"}},
      {"stack.block{n}.attention_norm.*", {"@layers.{n}.input_layernorm.*"}},
      {"stack.block{n}.feed_forward.in.*", {"@layers.{n}.mlp.gate_proj.*", "@layers.{n}.mlp.up_proj.*"}},
      {"stack.block{n}.feed_forward.out.*", {"@layers.{n}.mlp.down_proj.*"}},
      {"stack.block{n}.feed_forward_norm.*", {"@layers.{n}.post_attention_layernorm.*"}},
      {"stack.final_norm.*", {"@norm.*"}},
  };
  if (options.flag("tie_embeddings")) {
    map.body.push_back({"tokens.weight", {"@embed_tokens.weight|lm_head.weight"}});
  } else {
    map.body.push_back({"tokens.weight", {"@embed_tokens.weight"}});
    map.optional = {{"head.weight", {"lm_head.weight"}}};
  }
  map.heads = {
      {"classification", "LlamaForSequenceClassification", {{"output.weight", {"score.weight"}}}},
      {"token_classification", "LlamaForTokenClassification", {{"output.*", {"score.*"}}}},
  };
  map.ignored = {{"*rotary_emb.inv_freq", "a constant: the rates of the rotary angles"}};
  return map;
}

}  // namespace

const Family& llama_family() {
  static const Family family{
      "llama", "gpt", "LlamaModel", "LlamaForCausalLM", read_llama, write_llama, names_llama};
  return family;
}

}  // namespace lmzoo
