// What the tests of published checkpoints share: the cases of tests/golden/huggingface.py.
#pragma once

#include <string>
#include <vector>

#include <ATen/ops/arange.h>

#include "core/batch.h"
#include "core/registry.h"
#include "core/tensor_file.h"
#include "io/safetensors.h"
#include "objectives/parts/task_objective.h"
#include "support/files.h"
#include "tokenizer/vocabulary_of.h"
#include "train/run/assemble.h"
#include "train/run/published.h"

namespace lmzoo::test {

inline const std::vector<std::string>& published_cases() {
  static const std::vector<std::string> all{"bert_lm",
                                            "bert_pretraining",
                                            "bert_body",
                                            "bert_classifier",
                                            "roberta_lm",
                                            "roberta_classifier",
                                            "distilbert_lm",
                                            "distilbert_classifier",
                                            "electra_lm",
                                            "electra_classifier",
                                            "gpt1_lm",
                                            "gpt2_lm",
                                            "gpt2_classifier",
                                            "llama_lm",
                                            "llama_scaled",
                                            "llama_linear",
                                            "t5_lm",
                                            "t5_v1_1"};
  return all;
}

// Tasks other than a class of one text.
inline const std::vector<std::string>& task_cases() {
  static const std::vector<std::string> all{"bert_tags",
                                            "bert_answers",
                                            "bert_choices",
                                            "bert_number",
                                            "bert_flags",
                                            "roberta_tags",
                                            "roberta_choices",
                                            "distilbert_answers",
                                            "distilbert_choices",
                                            "electra_tags"};
  return all;
}

inline std::vector<std::string> all_cases() {
  std::vector<std::string> all = published_cases();
  all.insert(all.end(), task_cases().begin(), task_cases().end());
  return all;
}

inline std::string published(const std::string& name) { return golden("huggingface/" + name); }

// expected.safetensors of a case.
class Expected {
 public:
  explicit Expected(const std::string& name) : file_(published(name) + "/expected.safetensors") {}

  bool has(const std::string& name) const { return file_.find(name) != nullptr; }
  Tensor operator[](const std::string& name) const { return to_tensor(*file_.find(name), file_.path()); }

  Inputs inputs() const {
    Inputs inputs;
    inputs.ids = (*this)["ids"];
    inputs.sequences = sequences("lengths");
    if (has("token_types")) {
      inputs.token_types = (*this)["token_types"];
    }
    if (has("decoder_ids")) {
      inputs.decoder_ids = (*this)["decoder_ids"];
      inputs.decoder_sequences = sequences("decoder_lengths");
    }
    return inputs;
  }

 private:
  Sequences sequences(const std::string& name) const {
    const Tensor lengths = (*this)[name];
    return Sequences(
        std::vector<int64_t>(lengths.data_ptr<int64_t>(), lengths.data_ptr<int64_t>() + lengths.numel()));
  }

  SafetensorsFile file_;
};

// A folder with its head, ready to compute.
inline PublishedRun load_with_head(const std::string& folder, const Registry& registry) {
  PublishedRun published = load_huggingface(folder, registry, "cpu");
  LoadedRun& run = published.run;
  run.parts.model->eval();
  run.parts.objective->eval();
  return published;
}

// Never made: it opens what a task's head says before it is a loss or a prediction.
struct OpenTask : TaskObjective {
  using TaskObjective::outputs;
};

// Of every position, or of every sequence; choices: of all sequences as those of one example.
inline Tensor logits_of(const LoadedRun& run, const Inputs& inputs) {
  if (auto* task = dynamic_cast<TaskObjective*>(run.parts.objective.get())) {
    Batch batch;
    batch.inputs = inputs;
    batch.slots = {{.rows = at::arange(inputs.sequences.total())}};
    batch.group_sizes = {inputs.sequences.count()};
    return (task->*&OpenTask::outputs)(*run.parts.model, batch);
  }
  return run.parts.model->logits(run.parts.model->hidden(inputs));
}

// The largest difference, relative to the largest value.
inline double difference(const Tensor& actual, const Tensor& expected) {
  const Tensor a = actual.detach().to(at::kDouble), b = expected.detach().to(at::kDouble);
  return (a - b).abs().max().item<double>() / std::max(1.0, b.abs().max().item<double>());
}

}  // namespace lmzoo::test
