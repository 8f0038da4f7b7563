// What the tests of published checkpoints share: the cases of tests/golden/huggingface.py.
#pragma once

#include <string>
#include <vector>

#include "core/batch.h"
#include "io/safetensors.h"
#include "objectives/sequence_task.h"
#include "support/files.h"
#include "train/assemble.h"
#include "train/tensor_file.h"

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

// Of every position, or of every sequence.
inline Tensor logits_of(const LoadedRun& run, const Inputs& inputs) {
  if (auto* task = dynamic_cast<SequenceTask*>(run.parts.objective.get())) {
    return task->scores(*run.parts.model, inputs);
  }
  return run.parts.model->logits(run.parts.model->hidden(inputs));
}

// The largest difference, relative to the largest value.
inline double difference(const Tensor& actual, const Tensor& expected) {
  const Tensor a = actual.detach().to(torch::kFloat64), b = expected.detach().to(torch::kFloat64);
  return (a - b).abs().max().item<double>() / std::max(1.0, b.abs().max().item<double>());
}

}  // namespace lmzoo::test
