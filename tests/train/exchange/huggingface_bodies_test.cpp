// Published weights of a body or of a task, whose class has no output projection; and sizes that no machine has.
#include <filesystem>

#include "base/check.h"
#include "core/parameters.h"
#include "nn/parameter.h"
#include "support/catch.h"
#include "support/errors.h"
#include "train/debug_configs.h"
#include "train/exchange/huggingface/export.h"
#include "train/exchange/huggingface_support.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

// A copy of a case without its output projection, of another class and with further tensors.
std::string without_projection(const TempDir& dir,
                               const std::string& name,
                               const std::string& architecture,
                               const NamedTensors& more = {}) {
  Json config = read_json(published(name) + "/config.json");
  config["architectures"] = {architecture};
  if (name != "bert_classifier") {
    config["tie_word_embeddings"] = false;
  }
  std::filesystem::create_directories(dir / architecture);
  write_file((dir / architecture) + "/config.json", config.dump());
  const SafetensorsFile file(published(name) + "/model.safetensors");
  NamedTensors tensors = more;
  for (const TensorView& view : file.tensors()) {
    if (view.name != "lm_head.weight") {
      tensors.push_back({view.name, to_tensor(view, file.path())});
    }
  }
  write_tensors((dir / architecture) + "/model.safetensors", tensors);
  return dir / architecture;
}

Tensor states_of(const LoadedRun& run, const Inputs& inputs) {
  const at::NoGradGuard no_grad;
  run.parts.model->eval();
  return run.parts.model->hidden(inputs);
}

}  // namespace

TEST_CASE(
    "an untied body without an output projection is loaded, computes its states, and predicts no token") {
  const auto [name, architecture] =
      GENERATE(table<std::string, std::string>({{"llama_lm", "LlamaModel"}, {"t5_v1_1", "T5Model"}}));
  INFO(name);
  const TempDir dir;
  const LoadedRun whole = load_huggingface(published(name), registry()).run;
  const LoadedRun body = load_huggingface(without_projection(dir, name, architecture), registry()).run;
  const Inputs inputs = Expected(name).inputs();
  const Tensor states = states_of(body, inputs);
  CHECK(states.equal(states_of(whole, inputs)));
  CHECK_THAT(error_of([&] { body.parts.model->logits(states); }), Contains("has no output projection"));
}

TEST_CASE("an untied classifier is loaded, and so is its export") {
  const TempDir dir;
  const Json config = read_json(published("llama_lm") + "/config.json");
  const NamedTensors score{
      {"score.weight",
       at::arange(2 * config["hidden_size"].get<int64_t>(), at::kFloat).reshape({2, -1}).div(100)}};
  const std::string folder = without_projection(dir, "llama_lm", "LlamaForSequenceClassification", score);
  const LoadedRun run = load_huggingface(folder, registry()).run;
  CHECK(run.config.config.objective.type == "classification");
  export_folder(portable(run), dir / "out");
  const LoadedRun again = load_huggingface(dir / "out", registry()).run;
  const Inputs inputs = Expected("llama_lm").inputs();
  CHECK(states_of(again, inputs).equal(states_of(run, inputs)));
  CHECK(again.parts.objective->parameters().front().equal(run.parts.objective->parameters().front()));
}

TEST_CASE("a class that must have an output projection is refused without one") {
  const TempDir dir;
  const std::string folder = without_projection(dir, "llama_lm", "LlamaForCausalLM");
  CHECK_THAT(error_of([&] { load_huggingface(folder, registry()); }), Contains("missing: lm_head.weight"));
}

TEST_CASE("sizes that no machine has are refused in one line at their file, before anything is built") {
  const TempDir dir;
  const std::string folder = without_projection(dir, "llama_lm", "LlamaForCausalLM");
  Json config = read_json(folder + "/config.json");
  config["hidden_size"] = 1'000'000'000;
  write_file(folder + "/config.json", config.dump());
  const std::string message = error_of([&] { load_huggingface(folder, registry()); });
  CHECK_THAT(message, Catch::StartsWith(folder + "/config.json: model: has weights of "));
  CHECK_THAT(message, Contains(" of memory"));
}

TEST_CASE("many labels are read in the order of their numbers, and a missing one is named") {
  const TempDir dir;
  const std::string folder = without_projection(dir, "bert_classifier", "BertForSequenceClassification");
  Json config = read_json(folder + "/config.json");
  constexpr int kLabels = 100'000;  // searched for one by one they would take minutes
  const auto set_labels = [&](const std::string& first) {
    std::string labels = "{\"" + first + "\": \"L99999\"";
    for (int i = kLabels - 1; i-- > 0;) {
      labels += fmt::format(", \"{0}\": \"L{0}\"", i);
    }
    config["id2label"] = parse_json(labels + "}", "labels");
    write_file(folder + "/config.json", config.dump());
  };
  set_labels("99999");
  const std::vector<std::string> read = read_huggingface_config(folder).task.labels;
  REQUIRE(read.size() == kLabels);
  CHECK(read.front() == "L0");
  CHECK(read.back() == "L99999");
  set_labels("007");
  CHECK_THAT(error_of([&] { read_huggingface_config(folder); }),
             Contains("id2label: has no name for label 99999 of 100000"));
}
