// RoBERTa (Liu et al. 2019) at Hugging Face: BERT whose positions begin after the id of padding, with other
// names for its heads and always the exact GELU in the masked-LM head.
#include "base/check.h"
#include "train/exchange/huggingface/family.h"

namespace lmzoo {
namespace {

void read_roberta(ConfigKeys& keys, const FoundTensors& found, YamlNode& options) {
  // Position p of a text reads row pad + 1 + p of the table.
  const int64_t offset = keys.integer("pad_token_id", 1, at_least(0)) + 1;
  read_bert_keys(keys, {.vocab_size = 50265, .positions_before_first = offset}, options);
  put(options, "position_offset", offset);
  put(options, "pooler", found.has("@pooler.dense.weight|@pooler.dense.bias"));
  const bool lm_head = !found.any() || found.has("lm_head.dense.weight|lm_head.dense.bias|lm_head.bias");
  put(options, "lm_head", lm_head);
  const std::string activation = keys.text("hidden_act", "gelu");
  if (lm_head && activation != "gelu") {
    keys.fail("hidden_act",
              "is '" + activation + "', but the masked-LM head has gelu, and here both are one");
  }
}

void write_roberta(const OptionValues& options, Json& config) {
  const int64_t offset = options.integer("position_offset");
  check(offset > 0 && options.integer("token_types") > 0,
        "model.position_offset is {} and token_types {}, but roberta of Hugging Face has at least 1 of both",
        offset,
        options.integer("token_types"));
  if (options.flag("lm_head")) {
    options.only("activation", "gelu", "the head of roberta");
  }
  check_one_width(options, "roberta");
  write_bert_keys(options, "roberta", config);
  config["pad_token_id"] = offset - 1;
}

NameMap names_roberta(const OptionValues&) {
  NameMap map;
  map.prefixes = {"roberta.", ""};
  map.anchor = "embeddings.word_embeddings.weight";
  map.body = bert_body();
  map.body.push_back({"tokens.weight", {"@embeddings.word_embeddings.weight|lm_head.decoder.weight"}});
  map.optional = {
      {"pooler.*", {"@pooler.dense.*"}},
      {"head.*", {"lm_head.dense.*"}},
      {"head_norm.*", {"lm_head.layer_norm.*"}},
      {"head_bias", {"lm_head.bias|lm_head.decoder.bias"}},
  };
  map.heads = {
      {"classification",
       "RobertaForSequenceClassification",
       {{"dense.*", {"classifier.dense.*"}}, {"output.*", {"classifier.out_proj.*"}}}},
      {"token_classification", "RobertaForTokenClassification", {{"output.*", {"classifier.*"}}}},
      {"multiple_choice",
       "RobertaForMultipleChoice",
       {{"dense.*", {"@pooler.dense.*"}}, {"output.*", {"classifier.*"}}}},
      {"question_answering", "RobertaForQuestionAnswering", {{"output.*", {"qa_outputs.*"}}}},
  };
  map.ignored = {{"*position_ids", "a constant: 0, 1, 2, ..."}};
  return map;
}

}  // namespace

const Family& roberta_family() {
  static const Family family{
      "roberta", "bert", "RobertaModel", "RobertaForMaskedLM", read_roberta, write_roberta, names_roberta};
  return family;
}

}  // namespace lmzoo
