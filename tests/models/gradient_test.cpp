// Every part's gradients against central differences in float64, with dropout on (a fixed mask).
#include <ATen/Context.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include "core/tensor.h"
#include "model_support.h"
#include "nn/block.h"
#include "nn/embedding.h"
#include "nn/positions.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

constexpr int64_t kWidth = 4;

Tensor input(at::IntArrayRef shape) {
  return at::randn(shape, at::TensorOptions(at::kDouble)).requires_grad_();
}

// A module with random float64 weights, in training mode.
template <class Module>
std::shared_ptr<Module> prepared(std::shared_ptr<Module> module) {
  at::manual_seed(2);
  module->to(at::kDouble);
  randomize(*module);
  return module;
}

BlockOptions block_options() {
  return {.attention = {.width = kWidth, .shape = {2, 1, 2}, .dropout = 0.2},
          .feed_forward = {.width = kWidth, .inner_width = 3, .inner_dropout = 0.2},
          .dropout = 0.3};
}

}  // namespace

TEST_CASE("linear maps, embeddings and norms have right gradients") {
  const auto linear = prepared(std::make_shared<Linear>(LinearOptions{kWidth, 3}));
  const Tensor x = input({5, kWidth});
  check_gradients(
      *linear, [&] { return linear->forward(x); }, x);
  const auto embedding = prepared(std::make_shared<Embedding>(6, kWidth));
  const Tensor ids = at::tensor({1, 5, 1, 0}, at::kLong);
  check_gradients(*embedding, [&] { return embedding->forward(ids); }, {});
  for (const NormKind kind : {NormKind::layer, NormKind::rms}) {
    const auto norm = prepared(std::make_shared<Norm>(NormOptions{.kind = kind, .width = kWidth}));
    check_gradients(
        *norm, [&] { return norm->forward(x); }, x);
  }
}

TEST_CASE("a lookup's gradient is dense after backward, with a tied head and without, and adds up") {
  const auto table = prepared(std::make_shared<Embedding>(6, kWidth));
  const Tensor ids = at::tensor({1, 5, 1, 0}, at::kLong);
  const Tensor x = at::randn({3, kWidth}, at::kDouble);
  const auto lookups = [&] { return table->forward(ids).square().sum(); };
  const auto head = [&] { return x.mm(table->weight.t()).pow(3).sum(); };
  const auto gradient_of = [&](const std::vector<Tensor>& losses) {
    table->weight.mutable_grad() = Tensor();
    for (const Tensor& loss : losses) {
      loss.backward();
    }
    REQUIRE(table->weight.grad().layout() == at::kStrided);
    return table->weight.grad().clone();
  };
  const Tensor of_lookups = gradient_of({lookups()});
  Tensor expected = at::zeros_like(table->weight);
  expected.index_add_(0, ids, 2 * table->weight.detach().index_select(0, ids));
  CHECK(relative_error(of_lookups, expected) < 1e-15);
  const Tensor both = of_lookups + gradient_of({head()});
  CHECK(relative_error(gradient_of({lookups() + head()}), both) < 1e-15);
  CHECK(relative_error(gradient_of({lookups(), head(), lookups()}), both + of_lookups) < 1e-15);
}

TEST_CASE("feed-forward networks of every kind have right gradients") {
  for (const auto& [kind, name] : EnumNames<FeedForwardKind>::values) {
    INFO(name);
    const auto part = prepared(std::make_shared<FeedForward>(
        FeedForwardOptions{.width = kWidth, .inner_width = 3, .kind = kind, .inner_dropout = 0.2}));
    const Tensor x = input({5, kWidth});
    check_gradients(
        *part,
        [&] {
          const Branch out = part->forward(x);
          return out.x + out.bias;
        },
        x);
  }
}

TEST_CASE("self-attention has right gradients with every mask, rotation and bias") {
  const Sequences sequences(std::vector<int64_t>{3, 2});
  const auto part = prepared(
      std::make_shared<SelfAttention>(AttentionOptions{.width = kWidth, .shape = {2, 1, 2}, .dropout = 0.2}));
  const Positions rotary({.kind = PositionKind::rotary, .head_width = 2, .max_length = 3});
  const auto bias = prepared(std::make_shared<RelativeBias>(
      2, RelativeOptions{.buckets = 4, .max_distance = 3, .bidirectional = true}));
  for (const MaskKind mask : {MaskKind::full, MaskKind::causal, MaskKind::prefix}) {
    const Tensor x = input({5, kWidth});
    std::vector<Tensor> leaves = part->parameters();
    leaves.push_back(bias->weight);
    leaves.push_back(x);
    check_gradients(
        [&] {
          const SelfView view{.sequences = sequences,
                              .mask = mask,
                              .prefix = {2, 1},
                              .bias = bias->forward(3),
                              .rotations = {rotary.rotation(sequences.positions(), 3)}};
          const Branch out = part->forward(x, view);
          return out.x + out.bias;
        },
        leaves);
  }
}

TEST_CASE("cross-attention has right gradients, of the memory too") {
  const Sequences targets(std::vector<int64_t>{2, 3});
  const Sequences sources(std::vector<int64_t>{4, 1});
  const auto part = prepared(std::make_shared<CrossAttention>(
      AttentionOptions{.width = kWidth, .shape = {2, 2, 3}, .dropout = 0.2, .scale = 1.0}));
  const Tensor x = input({5, kWidth});
  const Tensor memory = input({5, kWidth});
  std::vector<Tensor> leaves = part->parameters();
  leaves.push_back(x);
  leaves.push_back(memory);
  check_gradients(
      [&] {
        const Branch out =
            part->forward(x, CrossView{.memory = memory, .targets = targets, .sources = sources});
        return out.x + out.bias;
      },
      leaves);
}

TEST_CASE("stacks of pre- and post-norm blocks have right gradients") {
  const Sequences sequences(std::vector<int64_t>{3, 2});
  for (const NormOrder order : {NormOrder::pre, NormOrder::post}) {
    for (const NormKind norm : {NormKind::layer, NormKind::rms}) {
      BlockOptions options = block_options();
      options.norm_order = order;
      options.norm = norm;
      const auto stack = prepared(std::make_shared<Stack>(uniform_stack(2, options)));
      const Tensor x = input({5, kWidth});
      const SelfView view{.sequences = sequences, .mask = MaskKind::causal};
      std::vector<Tensor> leaves;
      for (const auto& item : stack->named_parameters()) {
        // Post-norm applies a block's own norms, so all are used; none is left without a gradient.
        leaves.push_back(item.value);
      }
      leaves.push_back(x);
      check_gradients([&] { return stack->forward(x, view, nullptr); }, leaves);
    }
  }
}

TEST_CASE("whole models of every family have right gradients") {
  for (const ModelSpec& spec : tiny_models()) {
    INFO(describe(spec));
    const auto model = make_model(spec);
    model->to(at::kDouble);
    at::manual_seed(4);
    randomize(*model);
    model->train();
    const bool two = model->architecture() == Architecture::encoder_decoder;
    const Inputs inputs = packed({{1, 2, 4}, {3, 0}}, two ? Ids{{2, 1}, {4, 0, 3}} : Ids{});
    check_directions(*model, [&] { return model->logits(model->hidden(inputs)); });
  }
}
