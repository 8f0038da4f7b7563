// Models learn: one batch by heart, initial weights as specified, dropout in training only.
#include <cmath>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <torch/optim/adam.h>

#include "model_support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

double deviation(const Tensor& tensor) { return tensor.std().item<double>(); }

// Sequences that differ from the first id on and repeat none: what a causal model can tell apart.
Ids distinct_ids(const std::vector<int64_t>& lengths) {
  Ids ids;
  for (const int64_t length : lengths) {
    std::vector<int64_t>& sequence = ids.emplace_back();
    for (int64_t t = 0; t < length; ++t) {
      sequence.push_back((std::ssize(ids) + 3 * t) % 29);
    }
  }
  return ids;
}

// Threads that wait for each other cost more than tiny tensors do.
class OneThread {
 public:
  OneThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }

 private:
  int before_;
};

TensorMap parameters_of(const Model& model) {
  TensorMap map;
  for (const auto& item : model.named_parameters()) {
    map[item.name] = item.value.detach();
  }
  return map;
}

}  // namespace

TEST_CASE("every family learns one batch by heart") {
  const OneThread tiny_tensors;
  for (const std::string family : {"bert", "gpt", "t5"}) {
    INFO(family);
    at::manual_seed(1);
    const auto model =
        make_model({.family = family,
                    .settings = {{"layers", "2"}, {"width", "32"}, {"heads", "2"}, {"dropout", "0"}},
                    .sequence_length = 12});
    model->train();
    const bool two = model->architecture() == Architecture::encoder_decoder;
    const Inputs inputs = packed(distinct_ids({12, 7, 9}), two ? distinct_ids({6, 9, 5}) : Ids{});
    const Tensor labels = at::randint(29, {two ? 20 : 28}, at::kLong);
    torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(1e-2));
    double loss = 0;
    int steps = 0;
    for (loss = 1; loss > 0.01 && steps < 300; ++steps) {
      optimizer.zero_grad();
      const Tensor value = at::cross_entropy_loss(model->logits(model->hidden(inputs)), labels);
      value.backward();
      optimizer.step();
      loss = value.item<double>();
    }
    INFO(steps << " steps");
    CHECK(loss < 0.01);
  }
}

TEST_CASE("dropout acts in training only, and the generator's seed decides it") {
  for (const ModelSpec& spec : tiny_models()) {
    INFO(describe(spec));
    const auto model = make_model(spec);
    const bool two = model->architecture() == Architecture::encoder_decoder;
    const Inputs inputs = packed(random_ids({6, 4}), two ? random_ids({3, 5}) : Ids{});
    const auto states = [&](uint64_t seed) {
      at::manual_seed(seed);
      return model->hidden(inputs).detach();
    };
    CHECK(at::equal(states(1), states(2)));
    model->train();
    CHECK(at::equal(states(1), states(1)));
    CHECK_FALSE(at::equal(states(1), states(2)));
  }
}

TEST_CASE("gpt starts as published: 0.02, residual maps divided by the root of their number") {
  at::manual_seed(1);
  const auto model = make_model(
      {.family = "gpt",
       .settings =
           {{"layers", "2"}, {"width", "64"}, {"heads", "2"}, {"vocab_size", "500"}, {"max_length", "64"}},
       .preset = "gpt2"});
  const TensorMap weights = parameters_of(*model);
  CHECK(deviation(weights.at("tokens.weight")) == Approx(0.02).epsilon(0.03));
  CHECK(deviation(weights.at("positions.weight")) == Approx(0.02).epsilon(0.05));
  CHECK(deviation(weights.at("stack.block0.attention.qkv.weight")) == Approx(0.02).epsilon(0.05));
  CHECK(deviation(weights.at("stack.block1.attention.out.weight")) == Approx(0.01).epsilon(0.05));
  CHECK(deviation(weights.at("stack.block1.feed_forward.out.weight")) == Approx(0.01).epsilon(0.05));
  CHECK(weights.at("stack.block0.attention.qkv.bias").abs().max().item<double>() == 0);
  CHECK(at::equal(weights.at("stack.final_norm.weight"), at::ones({64})));
}

TEST_CASE("bert starts as published: a normal distribution cut at two deviations") {
  at::manual_seed(1);
  const auto model = make_model({.family = "bert", .settings = {{"vocab_size", "500"}}});
  const TensorMap weights = parameters_of(*model);
  for (const auto& [name, weight] : weights) {
    INFO(name);
    if (weight.dim() == 2) {
      CHECK(weight.abs().max().item<double>() <= 0.04 + 1e-6);
    } else {
      CHECK(weight.eq(name.ends_with("norm.weight") ? 1 : 0).all().item<bool>());
    }
  }
  // The cut takes 12 % of the deviation.
  CHECK(deviation(weights.at("tokens.weight")) == Approx(0.02 * 0.8796).epsilon(0.02));
}

TEST_CASE("t5 starts as published: a deviation for every matrix") {
  at::manual_seed(1);
  const auto model = make_model({.family = "t5",
                                 .settings = {{"layers", "1"},
                                              {"width", "64"},
                                              {"heads", "4"},
                                              {"head_width", "8"},
                                              {"ffn_width", "100"},
                                              {"vocab_size", "500"},
                                              {"tie_embeddings", "false"}}});
  const TensorMap weights = parameters_of(*model);
  const auto root = [](double n) { return Approx(1 / std::sqrt(n)).epsilon(0.06); };
  CHECK(deviation(weights.at("tokens.weight")) == root(1));
  CHECK(deviation(weights.at("head.weight")) == root(1));
  const Tensor qkv = weights.at("decoder.block0.attention.qkv.weight");
  CHECK(deviation(qkv.narrow(0, 0, 32)) == root(64 * 8));
  CHECK(deviation(qkv.narrow(0, 32, 64)) == root(64));
  CHECK(deviation(weights.at("decoder.block0.attention.out.weight")) == root(4 * 8));
  CHECK(deviation(weights.at("decoder.block0.cross_attention.q.weight")) == root(64 * 8));
  CHECK(deviation(weights.at("decoder.block0.cross_attention.kv.weight")) == root(64));
  CHECK(deviation(weights.at("encoder.block0.feed_forward.in.weight")) == root(64));
  CHECK(deviation(weights.at("encoder.block0.feed_forward.out.weight")) == root(100));
  CHECK(deviation(weights.at("encoder_bias.weight")) == Approx(0.125).epsilon(0.15));
}

TEST_CASE(
    "t5 starts as the same function for any attention_scale; output_scale and embedding_std are what they "
    "say") {
  const auto logits = [](Settings settings) {
    settings.insert({{"layers", "2"}, {"width", "8"}, {"heads", "2"}});
    at::manual_seed(1);
    const auto model = make_model({.family = "t5", .settings = settings});
    const Inputs inputs = packed({{3, 4, 5, 6}, {7, 8}}, {{0, 9, 10}, {0, 11}});
    return model->logits(model->hidden(inputs)).detach();
  };
  const Tensor published = logits({});
  CHECK(relative_error(logits({{"attention_scale", "0.5"}}), published) < 1e-5);
  CHECK(relative_error(logits({{"output_scale", "1"}}), published * std::sqrt(8.0)) < 1e-5);

  at::manual_seed(1);
  const auto small =
      make_model({.family = "t5", .settings = {{"embedding_std", "0.05"}, {"vocab_size", "500"}}});
  CHECK(deviation(parameters_of(*small).at("tokens.weight")) == Approx(0.05).epsilon(0.03));
}
