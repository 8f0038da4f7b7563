// ELECTRA (Clark et al. 2020) at Hugging Face: BERT's encoder on embeddings of a width of their own, without a pooler. The
// discriminator and the generator are checkpoints of their own; the generator's head is tied to the embedding.
#include "base/check.h"
#include "train/exchange/huggingface/family.h"

namespace lmzoo {
namespace {

void read_electra(ConfigKeys& keys, const FoundTensors& found, YamlNode& options) {
  read_bert_keys(keys, {.width = 256, .heads = 4, .ffn_width = 1024}, options);
  const std::string activation = keys.text("hidden_act", "gelu");
  if (activation != "gelu") {
    keys.fail("hidden_act",
              "is '" + activation + "', but the masked-LM head has gelu, and here both are one");
  }
  put(options, "embedding_width", keys.integer("embedding_size", 128));
  put(options, "pooler", false);
  put(options,
      "lm_head",
      !found.any() || found.has("generator_predictions.dense.weight|generator_predictions.dense.bias|"
                                "generator_lm_head.bias"));
  keys.harmless({"summary_last_dropout"});
}

void write_electra(const OptionValues& options, Json& config) {
  const std::string_view family = "electra";
  options.only("activation", "gelu", family);
  options.only("position_offset", "0", family);
  options.only("pooler", "false", family);
  check(options.integer("token_types") > 0,
        "model.token_types is 0, but electra of Hugging Face has at least 1");
  write_bert_keys(options, family, config);
  config["embedding_size"] = options.integer("embedding_width", options.integer("width"));
}

NameMap names_electra(const OptionValues&) {
  NameMap map;
  map.prefixes = {"electra.", ""};
  map.anchor = "embeddings.word_embeddings.weight";
  map.body = bert_body();
  map.body.push_back({"tokens.weight", {"@embeddings.word_embeddings.weight|generator_lm_head.weight"}});
  map.body.push_back({"embedding_map.*", {"@embeddings_project.*"}});
  map.optional = {
      {"head.*", {"generator_predictions.dense.*"}},
      {"head_norm.*", {"generator_predictions.LayerNorm.*"}},
      {"head_bias", {"generator_lm_head.bias"}},
  };
  map.heads = {
      {"replaced_token_detection",
       "ElectraForPreTraining",
       {{"dense.*", {"discriminator_predictions.dense.*"}},
        {"output.*", {"discriminator_predictions.dense_prediction.*"}}}},
      {"classification",
       "ElectraForSequenceClassification",
       {{"dense.*", {"classifier.dense.*"}}, {"output.*", {"classifier.out_proj.*"}}}},
      {"token_classification", "ElectraForTokenClassification", {{"output.*", {"classifier.*"}}}},
      {"question_answering", "ElectraForQuestionAnswering", {{"output.*", {"qa_outputs.*"}}}},
  };
  map.ignored = {{"*position_ids", "a constant: 0, 1, 2, ..."}};
  return map;
}

}  // namespace

const Family& electra_family() {
  static const Family family{
      "electra", "bert", "ElectraModel", "ElectraForMaskedLM", read_electra, write_electra, names_electra};
  return family;
}

}  // namespace lmzoo
