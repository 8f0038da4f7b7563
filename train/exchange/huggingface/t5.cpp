// T5 (Raffel et al. 2020), its version 1.1 and Flan-T5 at Hugging Face: no biases, relative positions whose
// table the first layer of each stack holds. Version 1.1 is gated, has an output projection of its own and
// does not scale the states before it.
#include <cmath>

#include "base/check.h"
#include "base/utf8.h"
#include "train/exchange/huggingface/family.h"

namespace lmzoo {
namespace {

struct ProjectionName {
  std::string_view theirs, ours;
};
// The plain and the gated kinds of feed_forward_proj. "gated-gelu" is the tanh kind, as its code has it.
constexpr ProjectionName kProjections[] = {{"relu", "relu"},
                                           {"gelu", "gelu"},
                                           {"gelu_new", "gelu_tanh"},
                                           {"silu", "silu"},
                                           {"gated-gelu", "geglu_tanh"},
                                           {"gated-silu", "swiglu"}};

std::string read_projection(ConfigKeys& keys) {
  const std::string given = keys.text("feed_forward_proj", "relu");
  for (const auto& [theirs, ours] : kProjections) {
    if (theirs == given) {
      return std::string(ours);
    }
  }
  keys.fail("feed_forward_proj",
            fmt::format("is '{}'; legal: relu, gelu, gelu_new, silu, gated-gelu, gated-silu",
                        printable(given, 40)));
}

double usual_scale(int64_t width) { return 1 / std::sqrt(static_cast<double>(width)); }

void read_t5(ConfigKeys& keys, const FoundTensors& found, YamlNode& options) {
  const int64_t width = keys.integer("d_model|hidden_size", 512);
  const int64_t layers = keys.integer("num_layers|num_hidden_layers", 6);
  put(options, "layers", layers);
  put(options, "decoder_layers", keys.integer("num_decoder_layers", layers));
  put(options, "width", width);
  put(options, "heads", keys.integer("num_heads|num_attention_heads", 8));
  put(options, "head_width", keys.integer("d_kv|head_dim", 64));
  put(options, "ffn_width", keys.integer("d_ff", 2048));
  put(options, "activation", read_projection(keys));
  put(options, "norm_eps", keys.real("layer_norm_epsilon", 1e-6, more_than(0)));
  put(options, "buckets", keys.integer("relative_attention_num_buckets", 32));
  put(options, "max_distance", keys.integer("relative_attention_max_distance", 128));
  put(options, "vocab_size", keys.integer("vocab_size", 32128));
  put(options, "dropout", keys.real("dropout_rate", 0.1, half_open(0, 1)));
  // As transformers does since version 5, which always writes `true`: a projection that differs from the
  // embedding is one of its own whatever the keys say; they tell whether the states are scaled.
  const bool declared = keys.boolean("tie_word_embeddings", true);
  const bool own = found.has("lm_head.weight") &&
                   !found.equal("lm_head.weight", "shared.weight|encoder.embed_tokens.weight");
  const bool tied = declared && !own;
  const bool scaled = keys.boolean("scale_decoder_outputs", declared);
  put_output(keys, found, {tied, "T5ForConditionalGeneration"}, options);
  if (tied != scaled) {
    put(options, "output_scale", scaled ? usual_scale(width) : 1.0);
  }
  const auto pad = keys.optional_integer("pad_token_id").value_or(0);
  keys.only("decoder_start_token_id", pad, "the decoder here starts with pad_token_id");
  keys.only("is_decoder", false, "a stack of this family alone is not supported");
  keys.harmless({"initializer_factor", "n_positions", "dense_act_fn", "is_gated_act"});
}

std::string written_projection(const OptionValues& options) {
  const std::string activation = options.text("activation");
  for (const auto& [theirs, ours] : kProjections) {
    if (ours == activation) {
      return std::string(theirs);
    }
  }
  throw InputError(fmt::format("model.activation is {}, which t5 of Hugging Face does not have", activation));
}

void write_t5(const OptionValues& options, Json& config) {
  const double attention_scale = options.real("attention_scale", 1);
  check(attention_scale == 1, "model.attention_scale is {:g}, but t5 of Hugging Face has 1", attention_scale);
  const int64_t width = options.integer("width"), heads = options.integer("heads");
  const bool tied = options.flag("tie_embeddings");
  const double scale = options.real("output_scale", tied ? usual_scale(width) : 1);
  const bool scaled = std::abs(scale - usual_scale(width)) < 1e-9;
  check(
      scaled || scale == 1, "model.output_scale is {}, but t5 of Hugging Face has 1/sqrt(width) or 1", scale);
  config["num_layers"] = options.integer("layers");
  config["num_decoder_layers"] = options.integer("decoder_layers", options.integer("layers"));
  config["d_model"] = width;
  config["num_heads"] = heads;
  config["d_kv"] = options.integer("head_width", width / heads);
  config["d_ff"] = options.integer("ffn_width", 4 * width);
  config["feed_forward_proj"] = written_projection(options);
  config["layer_norm_epsilon"] = options.real("norm_eps");
  config["relative_attention_num_buckets"] = options.integer("buckets");
  config["relative_attention_max_distance"] = options.integer("max_distance");
  config["vocab_size"] = options.integer("vocab_size");
  config["dropout_rate"] = options.real("dropout");
  config["tie_word_embeddings"] = scaled || tied;
  config["scale_decoder_outputs"] = scaled;
  config["initializer_factor"] = 1.0;
}

NameMap names_t5(const OptionValues& options) {
  NameMap map;
  map.prefixes = {""};
  map.anchor = "shared.weight";
  map.body = {
      {"encoder_bias.weight", {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"}},
      {"encoder.block{n}.attention.qkv.weight",
       {"encoder.block.{n}.layer.0.SelfAttention.q.weight",
        "encoder.block.{n}.layer.0.SelfAttention.k.weight",
        "encoder.block.{n}.layer.0.SelfAttention.v.weight"}},
      {"encoder.block{n}.attention.out.weight", {"encoder.block.{n}.layer.0.SelfAttention.o.weight"}},
      {"encoder.block{n}.attention_norm.weight", {"encoder.block.{n}.layer.0.layer_norm.weight"}},
      {"encoder.block{n}.feed_forward.out.weight", {"encoder.block.{n}.layer.1.DenseReluDense.wo.weight"}},
      {"encoder.block{n}.feed_forward_norm.weight", {"encoder.block.{n}.layer.1.layer_norm.weight"}},
      {"encoder.final_norm.weight", {"encoder.final_layer_norm.weight"}},
      {"decoder_bias.weight", {"decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"}},
      {"decoder.block{n}.attention.qkv.weight",
       {"decoder.block.{n}.layer.0.SelfAttention.q.weight",
        "decoder.block.{n}.layer.0.SelfAttention.k.weight",
        "decoder.block.{n}.layer.0.SelfAttention.v.weight"}},
      {"decoder.block{n}.attention.out.weight", {"decoder.block.{n}.layer.0.SelfAttention.o.weight"}},
      {"decoder.block{n}.attention_norm.weight", {"decoder.block.{n}.layer.0.layer_norm.weight"}},
      {"decoder.block{n}.cross_attention.q.weight", {"decoder.block.{n}.layer.1.EncDecAttention.q.weight"}},
      {"decoder.block{n}.cross_attention.kv.weight",
       {"decoder.block.{n}.layer.1.EncDecAttention.k.weight",
        "decoder.block.{n}.layer.1.EncDecAttention.v.weight"}},
      {"decoder.block{n}.cross_attention.out.weight", {"decoder.block.{n}.layer.1.EncDecAttention.o.weight"}},
      {"decoder.block{n}.cross_norm.weight", {"decoder.block.{n}.layer.1.layer_norm.weight"}},
      {"decoder.block{n}.feed_forward.out.weight", {"decoder.block.{n}.layer.2.DenseReluDense.wo.weight"}},
      {"decoder.block{n}.feed_forward_norm.weight", {"decoder.block.{n}.layer.2.layer_norm.weight"}},
      {"decoder.final_norm.weight", {"decoder.final_layer_norm.weight"}},
  };
  const std::string activation = options.text("activation");
  if (activation == "geglu_tanh" || activation == "swiglu") {
    map.body.push_back({"encoder.block{n}.feed_forward.in.weight",
                        {"encoder.block.{n}.layer.1.DenseReluDense.wi_0.weight",
                         "encoder.block.{n}.layer.1.DenseReluDense.wi_1.weight"}});
    map.body.push_back({"decoder.block{n}.feed_forward.in.weight",
                        {"decoder.block.{n}.layer.2.DenseReluDense.wi_0.weight",
                         "decoder.block.{n}.layer.2.DenseReluDense.wi_1.weight"}});
  } else {
    map.body.push_back(
        {"encoder.block{n}.feed_forward.in.weight", {"encoder.block.{n}.layer.1.DenseReluDense.wi.weight"}});
    map.body.push_back(
        {"decoder.block{n}.feed_forward.in.weight", {"decoder.block.{n}.layer.2.DenseReluDense.wi.weight"}});
  }
  if (options.flag("tie_embeddings", true)) {
    map.body.push_back(
        {"tokens.weight",
         {"shared.weight|encoder.embed_tokens.weight|decoder.embed_tokens.weight|lm_head.weight"}});
  } else {
    map.body.push_back(
        {"tokens.weight", {"shared.weight|encoder.embed_tokens.weight|decoder.embed_tokens.weight"}});
    map.optional = {{"head.weight", {"lm_head.weight"}}};
  }
  map.ignored = {{"decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
                  "a leftover of the conversion: cross-attention has no positions"}};
  return map;
}

}  // namespace

const Family& t5_family() {
  static const Family family{
      "t5", "t5", "T5Model", "T5ForConditionalGeneration", read_t5, write_t5, names_t5};
  return family;
}

}  // namespace lmzoo
