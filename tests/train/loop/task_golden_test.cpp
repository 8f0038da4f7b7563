// Tasks against transformers' models for them (tests/golden/tasks.py): what is read, the loss, every
// gradient.
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros_like.h>

#include "core/parameters.h"
#include "core/tensor_file.h"
#include "data/batches/collate.h"
#include "io/safetensors.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/run/assemble.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

using TensorMap = std::map<std::string, Tensor>;

struct Case {
  std::string name, model, objective, data;
  std::vector<std::string> classes{"x", "y", "z"};
  int64_t cls = 1;
};

const std::string kBert =
    "{type: bert, layers: 1, width: 8, heads: 2, ffn_width: 12, max_length: 16, lm_head: false";
const std::string kGpt = "{type: gpt, layers: 1, width: 8, heads: 2, positions: learned, max_length: 16";

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"class",
       kBert + ", pooler: true}",
       "{type: classification, pooling: pooler, dense: false}",
       "text: [a, b], label: l"},
      {"flags",
       kBert + ", pooler: true}",
       "{type: multi_label, pooling: pooler, dense: false}",
       "text: [a, b], labels: l",
       {"w", "x", "y", "z"}},
      {"number",
       kBert + ", pooler: true}",
       "{type: regression, pooling: pooler, dense: false}",
       "text: [a, b], value: l",
       {}},
      {"tags", kBert + "}", "{type: token_classification}", "tags: l"},
      {"spans",
       kBert + "}",
       "{type: question_answering, stride: 2, max_question_length: 6}",
       "text: [a, b], answer: l",
       {}},
      {"choice",
       kBert + ", pooler: true}",
       "{type: multiple_choice, pooling: pooler, dense: false}",
       "choices: [a, b], label: l",
       {}},
      {"roberta",
       kBert + ", position_offset: 2, token_types: 1, norm_eps: 1.0e-5}",
       "{type: classification, input_dropout: true}",
       "label: l",
       {"x", "y", "z"},
       17},
      {"distilbert", kBert + ", token_types: 0}", "{type: classification, activation: relu}", "label: l"},
      {"gpt2", kGpt + "}", "{type: classification, pooling: last, dense: false, format: plain}", "label: l"},
      {"gpt1",
       kGpt + ", pre_norm: false}",
       "{type: gpt1_task, lm_weight: 0.5}",
       "choices: [a, b], label: l",
       {}},
  };
  return all;
}

TensorMap golden_of(const std::string& name) {
  const std::string path = golden("tasks/" + name + ".safetensors");
  const SafetensorsFile file(path);
  TensorMap tensors;
  for (const TensorView& view : file.tensors()) {
    tensors.emplace(view.name, to_tensor(view, path).clone());
  }
  return tensors;
}

std::vector<int64_t> ids_of(const Tensor& tensor) {
  return {tensor.const_data_ptr<int64_t>(), tensor.const_data_ptr<int64_t>() + tensor.numel()};
}

Parts task_parts(const Case& task) {
  const Registry registry = make_registry();
  const std::string yaml = "name: t\ntokenizer: {type: byte}\nmodel: " + task.model +
                           "\nobjective: " + task.objective + "\ndata: {train: {files: [t.jsonl], " +
                           task.data + "}, sequence_length: 16}\n";
  const LoadedConfig loaded = parse_run_config(yaml, "t.yaml", {}, registry);
  Vocabulary vocabulary{.size = 19,
                        .pad = 0,
                        .unk = {},
                        .bos = 3,
                        .eos = 2,
                        .cls = task.cls,
                        .sep = 2,
                        .mask = {},
                        .sentinels = {}};
  return build_parts(loaded, registry, vocabulary, task.classes);
}

// Our names and theirs are the same set, but for a bias that theirs lacks.
void set_weights(const Parts& parts, const TensorMap& golden) {
  parts.model->to(at::kDouble);
  parts.objective->to(at::kDouble);
  const at::NoGradGuard no_grad;
  for (const NamedTensor& weight : weights(*parts.model, *parts.objective)) {
    INFO(weight.name);
    const auto found = golden.find(weight.name);
    if (found == golden.end()) {
      REQUIRE(weight.name == "objective.output.bias");
      Tensor(weight.tensor).zero_();
      continue;
    }
    Tensor(weight.tensor).copy_(found->second);
  }
}

// A passage of one-byte ids, whose answer stands at the positions that the golden file has.
std::shared_ptr<const Passage> passage_of(const Tensor& ends, int64_t shift, int64_t length) {
  auto passage = std::make_shared<Passage>();
  passage->text.assign(static_cast<size_t>(length), 'x');
  for (int64_t i = 0; i < length; ++i) {
    passage->ids.push_back({i, i + 1});
  }
  const int64_t begin = ends[0].item<int64_t>() - shift;
  if (begin >= 0) {
    passage->answers = {{begin, ends[1].item<int64_t>() - shift + 1}};
  }
  return passage;
}

Sample sample_of(const TensorMap& golden, const std::string& key) {
  Sample sample{.ids = ids_of(golden.at("a." + key))};
  if (golden.contains("b." + key)) {
    sample.further_texts = {ids_of(golden.at("b." + key))};
  }
  for (int64_t j = 0; golden.contains("b." + key + "." + std::to_string(j)); ++j) {
    sample.choices.push_back(ids_of(golden.at("b." + key + "." + std::to_string(j))));
  }
  const Tensor& label = golden.at("label." + key);
  if (golden.contains("words." + key)) {
    sample.word_starts = ids_of(golden.at("words." + key));
    sample.tags = ids_of(label);
  } else if (label.is_floating_point() && label.numel() == 1) {
    sample.value = label.item<double>();
  } else if (label.is_floating_point()) {
    for (int64_t i = 0; i < label.numel(); ++i) {
      if (label[i].item<double>() > 0) {
        sample.label_set.push_back(i);
      }
    }
  } else if (label.numel() == 2) {
    sample.passage = passage_of(label, std::ssize(sample.ids) + 2, std::ssize(sample.further_texts[0]));
  } else {
    sample.label = label.item<int64_t>();
  }
  return sample;
}

Batch golden_batch(const Parts& parts, const TensorMap& golden) {
  std::vector<Example> examples;
  for (int64_t k = 0; golden.contains("a." + std::to_string(k)); ++k) {
    Stream stream({});
    for (Example& example : parts.objective->examples(sample_of(golden, std::to_string(k)), {}, stream)) {
      examples.push_back(std::move(example));
    }
  }
  return collate(examples, {parts.model->architecture(), parts.vocabulary, parts.objective->slots()});
}

// All "PREFIX.*" one after the other, by name.
Tensor joined(const TensorMap& golden, const std::string& prefix) {
  std::vector<Tensor> all;
  for (const auto& [name, tensor] : golden) {
    if (name.starts_with(prefix + ".")) {
      all.push_back(tensor);
    }
  }
  return all.empty() ? Tensor() : at::cat(all);
}

}  // namespace

TEST_CASE("tasks read, lose and learn what transformers' models of them do") {
  for (const Case& task : cases()) {
    INFO(task.name);
    const TensorMap golden = golden_of(task.name);
    const Parts parts = task_parts(task);
    set_weights(parts, golden);
    parts.model->eval();
    parts.objective->eval();
    const Batch batch = golden_batch(parts, golden);
    REQUIRE(at::equal(batch.inputs.ids, joined(golden, "ids")));
    if (batch.inputs.token_types.defined()) {
      CHECK(at::equal(batch.inputs.token_types, joined(golden, "types")));
    }
    Stream stream({});
    const Tensor mean = mean_loss(parts.objective->loss(*parts.model, batch, stream), batch);
    CHECK(mean.item<double>() == Approx(golden.at("loss").item<double>()).epsilon(1e-9));
    mean.backward();
    for (const NamedTensor& weight : weights(*parts.model, *parts.objective)) {
      if (!golden.contains("gradient." + weight.name)) {
        continue;
      }
      INFO(weight.name);
      const Tensor expected = golden.at("gradient." + weight.name).to(at::kDouble);
      const Tensor given = weight.tensor.grad().defined() ? weight.tensor.grad() : at::zeros_like(expected);
      const double scale = std::max(expected.abs().max().item<double>(), 1e-3);
      CHECK((given - expected).abs().max().item<double>() < 1e-6 * scale);
    }
  }
}
