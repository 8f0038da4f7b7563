#include "train/exchange/huggingface/heads.h"

#include "base/check.h"
#include "train/exchange/huggingface/family.h"

namespace lmzoo {
namespace {

// BERT's heads read the pooler. RoBERTa has a layer of its own instead, but for choices.
bool reads_pooler(const std::string& family, const std::string& architecture) {
  return family == "bert" || architecture == "RobertaForMultipleChoice";
}

}  // namespace

std::string objective_of(const ModelFromFolder& from) {
  if (from.task.architecture.empty()) {
    return from.type == "bert" ? "masked_lm" : from.type == "gpt" ? "causal_lm" : "span_corruption";
  }
  const NameMap names = family_called(from.family).names(OptionValues(from.options));
  std::string objective(names.head_called(from.task.architecture)->objective);
  if (objective == "replaced_token_detection") {
    return "masked_lm";  // its loss wants a generator, which is no part of a discriminator's folder
  }
  if (objective == "classification" && from.task.problem_type == "multi_label_classification") {
    return "multi_label";
  }
  const bool number = from.task.problem_type == "regression" || from.task.labels.size() == 1;
  return objective == "classification" && number ? "regression" : objective;
}

YamlNode head_settings(const std::string& family, const std::string& architecture) {
  YamlNode settings = YamlNode::mapping();
  const bool pools = reads_pooler(family, architecture);
  const bool own_layer = !pools && (family == "roberta" || family == "distilbert" || family == "electra");
  put(settings, "pooling", pools ? "pooler" : own_layer ? "first" : "last");
  put(settings, "dense", own_layer);
  put(settings, "output_bias", pools || own_layer);
  if (own_layer) {
    put(settings, "activation", family == "roberta" ? "tanh" : family == "electra" ? "gelu" : "relu");
    put(settings, "input_dropout", family != "distilbert");
  }
  return settings;
}

void check_head(const YamlNode& options, const std::string& family, const std::string& architecture) {
  const OptionValues values(options);
  // The pooler is a dense layer with tanh over the first state, whoever owns it.
  if (reads_pooler(family, architecture) && values.text("pooling") == "first" && values.flag("dense") &&
      values.text("activation") == "tanh" && values.flag("output_bias", true)) {
    return;
  }
  const YamlNode expected = head_settings(family, architecture);
  for (const YamlEntry& entry : expected.entries) {
    const bool matters = entry.key != "input_dropout" && options.find(entry.key) != nullptr;
    const std::string given = values.text(entry.key);
    check(!matters || given == entry.value.scalar,
          "objective.{} is {}, but {} of Hugging Face has {}",
          entry.key,
          given,
          architecture,
          entry.value.scalar);
  }
}

std::string problem_type_of(const std::string& objective) {
  if (objective == "classification") {
    return "single_label_classification";
  }
  return objective == "multi_label"  ? "multi_label_classification"
         : objective == "regression" ? objective
                                     : "";
}

void set_columns(const std::string& objective, TextOptions& data) {
  if (objective == "classification") {
    data.label = "label";
  } else if (objective == "multi_label") {
    data.labels = "labels";
  } else if (objective == "regression") {
    data.value = "value";
  } else if (objective == "token_classification") {
    data.tags = "tags";
  } else if (objective == "multiple_choice") {
    data.choices = {"choices"};
    data.label = "label";
  } else if (objective == "next_sentence") {
    data.sentences = SentenceEnds::lines;
  } else if (objective == "question_answering") {
    data.text = {"question", "context"};
    data.answer = "answers";
  }
}

}  // namespace lmzoo
