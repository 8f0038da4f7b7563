// DistilBERT (Sanh et al. 2019) at Hugging Face: BERT without token types and pooler, with names of its own.
#include "base/check.h"
#include "train/exchange/huggingface/family.h"

namespace lmzoo {
namespace {

constexpr double kNormEps = 1e-12;  // written in the code of transformers, not in config.json

void read_distilbert(ConfigKeys& keys, const FoundTensors& found, YamlNode& options) {
  put(options, "layers", keys.integer("n_layers|num_hidden_layers", 6));
  put(options, "width", keys.integer("dim|hidden_size", 768));
  put(options, "heads", keys.integer("n_heads|num_attention_heads", 12));
  put(options, "ffn_width", keys.integer("hidden_dim", 3072));
  put(options, "activation", read_activation(keys, "activation", "gelu"));
  put(options, "norm_eps", kNormEps);
  put(options, "token_types", int64_t{0});
  put(options, "max_length", keys.integer("max_position_embeddings", 512));
  put(options, "vocab_size", keys.integer("vocab_size", 30522));
  put(options, "dropout", keys.real("dropout", 0.1, half_open(0, 1)));
  put(options, "attention_dropout", keys.real("attention_dropout", 0.1, half_open(0, 1)));
  put(options, "init_std", keys.real("initializer_range", 0.02, more_than(0)));
  put(options, "pooler", false);
  put(options,
      "lm_head",
      !found.any() || found.has("vocab_transform.weight|vocab_transform.bias|vocab_projector.bias"));
  keys.only("tie_word_embeddings", true, "the masked-LM head here is tied to the embedding");
  // Sinusoids are only what the table began with: it is part of every checkpoint.
  keys.harmless({"sinusoidal_pos_embds", "qa_dropout", "seq_classif_dropout", "tie_weights_"});
}

void write_distilbert(const OptionValues& options, Json& config) {
  const std::string_view family = "distilbert";
  check_one_width(options, family);
  options.only("norm", "layer", family);
  options.only("pre_norm", "false", family);
  options.only("bias", "true", family);
  options.only("positions", "learned", family);
  options.only("position_offset", "0", family);
  options.only("token_types", "0", family);
  options.only("pooler", "false", family);
  check(options.real("norm_eps") == kNormEps, "model.norm_eps is not that of distilbert: {:g}", kNormEps);
  const int64_t width = options.integer("width");
  config["n_layers"] = options.integer("layers");
  config["dim"] = width;
  config["n_heads"] = options.integer("heads");
  config["hidden_dim"] = options.integer("ffn_width", 4 * width);
  config["activation"] = write_activation(options, family);
  config["max_position_embeddings"] = options.integer("max_length");
  config["vocab_size"] = options.integer("vocab_size");
  config["dropout"] = options.real("dropout");
  config["attention_dropout"] = options.real("attention_dropout", options.real("dropout"));
  config["initializer_range"] = options.real("init_std");
  config["sinusoidal_pos_embds"] = false;
  config["tie_weights_"] = true;
}

NameMap names_distilbert(const OptionValues&) {
  NameMap map;
  map.prefixes = {"distilbert.", ""};
  map.anchor = "embeddings.word_embeddings.weight";
  map.body = {
      {"tokens.weight", {"@embeddings.word_embeddings.weight|vocab_projector.weight"}},
      {"positions.weight", {"@embeddings.position_embeddings.weight"}},
      {"embedding_norm.*", {"@embeddings.LayerNorm.*"}},
      {"stack.block{n}.attention.qkv.*",
       {"@transformer.layer.{n}.attention.q_lin.*",
        "@transformer.layer.{n}.attention.k_lin.*",
        "@transformer.layer.{n}.attention.v_lin.*"}},
      {"stack.block{n}.attention.out.*", {"@transformer.layer.{n}.attention.out_lin.*"}},
      {"stack.block{n}.attention_norm.*", {"@transformer.layer.{n}.sa_layer_norm.*"}},
      {"stack.block{n}.feed_forward.in.*", {"@transformer.layer.{n}.ffn.lin1.*"}},
      {"stack.block{n}.feed_forward.out.*", {"@transformer.layer.{n}.ffn.lin2.*"}},
      {"stack.block{n}.feed_forward_norm.*", {"@transformer.layer.{n}.output_layer_norm.*"}},
  };
  map.optional = {
      {"head.*", {"vocab_transform.*"}},
      {"head_norm.*", {"vocab_layer_norm.*"}},
      {"head_bias", {"vocab_projector.bias"}},
  };
  const std::vector<NameRule> classifier{{"dense.*", {"pre_classifier.*"}}, {"output.*", {"classifier.*"}}};
  map.heads = {
      {"classification", "DistilBertForSequenceClassification", classifier},
      {"token_classification", "DistilBertForTokenClassification", {{"output.*", {"classifier.*"}}}},
      {"multiple_choice", "DistilBertForMultipleChoice", classifier},
      {"question_answering", "DistilBertForQuestionAnswering", {{"output.*", {"qa_outputs.*"}}}},
  };
  map.ignored = {{"*position_ids", "a constant: 0, 1, 2, ..."}};
  return map;
}

}  // namespace

const Family& distilbert_family() {
  static const Family family{"distilbert",
                             "bert",
                             "DistilBertModel",
                             "DistilBertForMaskedLM",
                             read_distilbert,
                             write_distilbert,
                             names_distilbert};
  return family;
}

}  // namespace lmzoo
