// BERT (Devlin et al. 2019) at Hugging Face: post-norm, learned positions, two token types; a pooler and a
// masked-LM head tied to the embedding, each of which a checkpoint may lack.
#include "base/check.h"
#include "train/exchange/huggingface/family.h"

namespace lmzoo {
namespace {

void read_bert(ConfigKeys& keys, const FoundTensors& found, YamlNode& options) {
  read_bert_keys(keys, {}, options);
  put(options, "pooler", found.has("@pooler.dense.weight|@pooler.dense.bias"));
  put(options,
      "lm_head",
      !found.any() || found.has("cls.predictions.transform.dense.weight|cls.predictions.transform.dense.bias|"
                                "cls.predictions.bias"));
}

void write_bert(const OptionValues& options, Json& config) {
  check(options.integer("position_offset") == 0 && options.integer("token_types") > 0,
        "model.position_offset and token_types are not those of bert of Hugging Face: 0, and at least 1");
  check_one_width(options, "bert");
  write_bert_keys(options, "bert", config);
}

NameMap names_bert(const OptionValues&) {
  NameMap map;
  map.prefixes = {"bert.", ""};
  map.anchor = "embeddings.word_embeddings.weight";
  map.body = bert_body();
  map.body.push_back(
      {"tokens.weight", {"@embeddings.word_embeddings.weight|cls.predictions.decoder.weight"}});
  map.optional = {
      {"pooler.*", {"@pooler.dense.*"}},
      {"head.*", {"cls.predictions.transform.dense.*"}},
      {"head_norm.*", {"cls.predictions.transform.LayerNorm.*"}},
      {"head_bias", {"cls.predictions.bias|cls.predictions.decoder.bias"}},
  };
  // An objective that leaves the pooler to the model has no layer of its own before the output.
  const std::vector<NameRule> pooled{{"dense.*", {"@pooler.dense.*"}}, {"output.*", {"classifier.*"}}};
  map.heads = {
      {"classification", "BertForSequenceClassification", pooled},
      {"token_classification", "BertForTokenClassification", {{"output.*", {"classifier.*"}}}},
      {"multiple_choice", "BertForMultipleChoice", pooled},
      {"question_answering", "BertForQuestionAnswering", {{"output.*", {"qa_outputs.*"}}}},
      {"next_sentence",
       "BertForPreTraining",
       {{"dense.*", {"@pooler.dense.*"}}, {"output.*", {"cls.seq_relationship.*"}}},
       true},
  };
  map.ignored = {{"*position_ids", "a constant: 0, 1, 2, ..."}};
  return map;
}

}  // namespace

void read_bert_keys(ConfigKeys& keys, const BertDefaults& defaults, YamlNode& options) {
  const int64_t extra = defaults.positions_before_first;
  put(options, "layers", keys.integer("num_hidden_layers", 12));
  put(options, "width", keys.integer("hidden_size", defaults.width));
  put(options, "heads", keys.integer("num_attention_heads", defaults.heads));
  put(options, "ffn_width", keys.integer("intermediate_size", defaults.ffn_width));
  put(options, "activation", read_activation(keys, "hidden_act", "gelu"));
  put(options, "norm_eps", keys.real("layer_norm_eps", 1e-12, more_than(0)));
  put(options, "token_types", keys.integer("type_vocab_size", 2));
  put(options,
      "max_length",
      keys.integer("max_position_embeddings", 512, at_least(double(1 + extra))) - extra);
  put(options, "vocab_size", keys.integer("vocab_size", defaults.vocab_size));
  put(options, "dropout", keys.real("hidden_dropout_prob", 0.1, half_open(0, 1)));
  put(options, "attention_dropout", keys.real("attention_probs_dropout_prob", 0.1, half_open(0, 1)));
  put(options, "init_std", keys.real("initializer_range", 0.02, more_than(0)));
  keys.only("position_embedding_type", "absolute", "relative positions of this kind are not supported");
  keys.only("tie_word_embeddings", true, "the masked-LM head here is tied to the embedding");
  keys.only("is_decoder", false, "a decoder of this family is not supported");
  keys.only("add_cross_attention", false, "cross-attention in this family is not supported");
  keys.harmless({"directionality",
                 "pooler_fc_size",
                 "pooler_num_attention_heads",
                 "pooler_num_fc_layers",
                 "pooler_size_per_head",
                 "pooler_type"});
}

void check_one_width(const OptionValues& options, std::string_view family) {
  const int64_t width = options.integer("width");
  const int64_t embedding_width = options.integer("embedding_width", width);
  check(embedding_width == width,
        "model.embedding_width is {}, but {} of Hugging Face has that of model.width, {}",
        embedding_width,
        family,
        width);
}

void write_bert_keys(const OptionValues& options, std::string_view family, Json& config) {
  options.only("norm", "layer", family);
  options.only("pre_norm", "false", family);
  options.only("bias", "true", family);
  options.only("positions", "learned", family);
  const int64_t width = options.integer("width");
  config["num_hidden_layers"] = options.integer("layers");
  config["hidden_size"] = width;
  config["num_attention_heads"] = options.integer("heads");
  config["intermediate_size"] = options.integer("ffn_width", 4 * width);
  config["hidden_act"] = write_activation(options, family);
  config["layer_norm_eps"] = options.real("norm_eps");
  config["type_vocab_size"] = options.integer("token_types");
  config["max_position_embeddings"] = options.integer("max_length") + options.integer("position_offset");
  config["position_embedding_type"] = "absolute";
  config["vocab_size"] = options.integer("vocab_size");
  config["hidden_dropout_prob"] = options.real("dropout");
  config["attention_probs_dropout_prob"] = options.real("attention_dropout", options.real("dropout"));
  config["initializer_range"] = options.real("init_std");
  config["tie_word_embeddings"] = true;
  config["use_cache"] = true;
}

std::vector<NameRule> bert_body() {
  return {
      {"positions.weight", {"@embeddings.position_embeddings.weight"}},
      {"token_types.weight", {"@embeddings.token_type_embeddings.weight"}},
      {"embedding_norm.*", {"@embeddings.LayerNorm.*"}},
      {"stack.block{n}.attention.qkv.*",
       {"@encoder.layer.{n}.attention.self.query.*",
        "@encoder.layer.{n}.attention.self.key.*",
        "@encoder.layer.{n}.attention.self.value.*"}},
      {"stack.block{n}.attention.out.*", {"@encoder.layer.{n}.attention.output.dense.*"}},
      {"stack.block{n}.attention_norm.*", {"@encoder.layer.{n}.attention.output.LayerNorm.*"}},
      {"stack.block{n}.feed_forward.in.*", {"@encoder.layer.{n}.intermediate.dense.*"}},
      {"stack.block{n}.feed_forward.out.*", {"@encoder.layer.{n}.output.dense.*"}},
      {"stack.block{n}.feed_forward_norm.*", {"@encoder.layer.{n}.output.LayerNorm.*"}},
  };
}

const Family& bert_family() {
  static const Family family{
      "bert", "bert", "BertModel", "BertForMaskedLM", read_bert, write_bert, names_bert};
  return family;
}

}  // namespace lmzoo
