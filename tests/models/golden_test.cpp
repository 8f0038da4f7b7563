// Families against Hugging Face transformers (tests/golden/models.py): logits, loss, every gradient, hidden
// states and attention probabilities of tiny random models.
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>

#include "model_support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

struct GoldenCase {
  std::string name;
  ModelSpec spec;
  double tolerance = 0;  // in float64
};

Settings sized(const Settings& more) {
  Settings settings{
      {"layers", "2"}, {"width", "8"}, {"heads", "2"}, {"ffn_width", "12"}, {"vocab_size", "29"}};
  for (const auto& [name, value] : more) {
    settings[name] = value;
  }
  return settings;
}

// transformers computes RMS norms and rotary angles, and T5 and LLaMA their softmax, in float32 whatever the
// type of the model, which bounds what the last three can agree to.
const std::vector<GoldenCase>& golden_cases() {
  static const std::vector<GoldenCase> cases{
      {"bert", {"bert", sized({{"max_length", "7"}}), "bert-base"}, 1e-10},
      {"gpt1", {"gpt", sized({{"max_length", "7"}, {"ffn_width", "32"}}), "gpt1"}, 1e-10},
      {"gpt2", {"gpt", sized({{"max_length", "7"}}), "gpt2"}, 1e-10},
      {"llama",
       {"gpt",
        sized({{"positions", "rotary"},
               {"norm", "rms"},
               {"norm_eps", "1e-6"},
               {"activation", "swiglu"},
               {"bias", "false"},
               {"kv_heads", "1"},
               {"tie_embeddings", "false"}})},
       1e-5},
      {"t5", {"t5", sized({{"head_width", "3"}, {"buckets", "8"}, {"max_distance", "6"}}), "t5-small"}, 1e-5},
      {"t5_v1_1",
       {"t5", sized({{"head_width", "3"}, {"buckets", "8"}, {"max_distance", "6"}}), "t5-v1.1-small"},
       1e-5},
  };
  return cases;
}

std::vector<int64_t> to_vector(const Tensor& tensor) {
  return {tensor.data_ptr<int64_t>(), tensor.data_ptr<int64_t>() + tensor.numel()};
}

Inputs inputs_of(const TensorMap& golden) {
  Inputs inputs;
  inputs.ids = golden.at("ids");
  inputs.sequences = Sequences(to_vector(golden.at("lengths")));
  if (golden.count("token_types") > 0) {
    inputs.token_types = golden.at("token_types");
  }
  if (golden.count("decoder_ids") > 0) {
    inputs.decoder_ids = golden.at("decoder_ids");
    inputs.decoder_sequences = Sequences(to_vector(golden.at("decoder_lengths")));
  }
  return inputs;
}

// Every parameter of the model gets the golden's weight of its name; no weight is left over.
std::shared_ptr<Model> golden_model(const GoldenCase& golden_case, const TensorMap& golden) {
  const std::shared_ptr<Model> model = make_model(golden_case.spec);
  size_t used = 0;
  const at::NoGradGuard no_grad;
  for (auto& item : model->named_parameters()) {
    INFO(item.name);
    REQUIRE(golden.count("weight." + item.name) == 1);
    const Tensor& weight = golden.at("weight." + item.name);
    REQUIRE(item.value.sizes() == weight.sizes());
    item.value.copy_(weight);
    ++used;
  }
  size_t given = 0;
  for (const auto& [name, tensor] : golden) {
    given += name.starts_with("weight.") ? 1 : 0;
  }
  REQUIRE(used == given);
  return model;
}

}  // namespace

TEST_CASE("logits, loss and every gradient equal those of transformers, in float64") {
  for (const GoldenCase& golden_case : golden_cases()) {
    INFO(golden_case.name);
    const TensorMap golden = golden_tensors(golden_case.name);
    const std::shared_ptr<Model> model = golden_model(golden_case, golden);
    model->to(at::kDouble);
    const Tensor logits = model->logits(model->hidden(inputs_of(golden)));
    CHECK(relative_error(logits, golden.at("logits")) < golden_case.tolerance);
    const Tensor loss = at::cross_entropy_loss(logits, golden.at("labels"));
    CHECK(relative_error(loss, golden.at("loss")) < golden_case.tolerance);
    loss.backward();
    for (const auto& item : model->named_parameters()) {
      INFO(item.name);
      REQUIRE(item.value.grad().defined());
      CHECK(relative_error(item.value.grad(), golden.at("gradient." + item.name)) <
            10 * golden_case.tolerance);
    }
  }
}

TEST_CASE("the fused float32 path gives the same logits and gradients") {
  for (const GoldenCase& golden_case : golden_cases()) {
    INFO(golden_case.name);
    const TensorMap golden = golden_tensors(golden_case.name);
    const std::shared_ptr<Model> model = golden_model(golden_case, golden);
    const Tensor logits = model->logits(model->hidden(inputs_of(golden)));
    CHECK(relative_error(logits, golden.at("logits")) < 1e-5);
    at::cross_entropy_loss(logits, golden.at("labels")).backward();
    for (const auto& item : model->named_parameters()) {
      INFO(item.name);
      CHECK(relative_error(item.value.grad(), golden.at("gradient." + item.name)) < 2e-5);
    }
  }
}

TEST_CASE("a trace holds every layer's states and attention as transformers gives them") {
  for (const GoldenCase& golden_case : golden_cases()) {
    INFO(golden_case.name);
    const TensorMap golden = golden_tensors(golden_case.name);
    const std::shared_ptr<Model> model = golden_model(golden_case, golden);
    Trace trace{.want_attention = true, .hidden = {}, .attention = {}};
    Inputs inputs = inputs_of(golden);
    inputs.trace = &trace;
    const at::NoGradGuard no_grad;
    const Tensor states = model->hidden(inputs);
    REQUIRE(trace.hidden.size() == 3);
    REQUIRE(trace.attention.size() == 2);
    CHECK(at::equal(trace.hidden.back(), states));
    for (size_t i = 0; i < trace.hidden.size(); ++i) {
      CHECK(relative_error(trace.hidden[i], golden.at(fmt::format("hidden.{}", i))) < 1e-5);
    }
    for (size_t i = 0; i < trace.attention.size(); ++i) {
      CHECK(relative_error(trace.attention[i], golden.at(fmt::format("attention.{}", i))) < 1e-5);
    }
  }
}
