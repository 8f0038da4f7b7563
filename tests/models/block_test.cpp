// Stacks whose layers differ: against plain operators, packed, from wanted rows, with shared blocks.
#include "nn/block.h"

#include <cmath>

#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "nn/init.h"
#include "support/catch.h"
#include "unlike_blocks.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// What follows is the arithmetic of one sequence as the papers write it.

Tensor plain_norm(const Tensor& x, const Norm& norm) {
  const NormParameters p = norm.kernel();
  if (p.kind == NormKind::layer) {
    return at::layer_norm(x, {x.size(-1)}, p.weight, p.bias, p.eps);
  }
  const Tensor normal = x / (x.square().mean(-1, true) + p.eps).sqrt();
  return p.weight.defined() ? normal * p.weight : normal;
}

Tensor plain_map(const Tensor& x, const Linear& map) {
  return map.bias.defined() ? at::linear(x, map.weight, map.bias) : at::linear(x, map.weight);
}

// Columns i and i + Dh/2 of [T, Dh] turn by t · base^(-2i/Dh), which is float32 as everywhere.
Tensor plain_turn(const Tensor& x, double base) {
  const int64_t half = kStackHeadWidth / 2;
  const Tensor angle = rotary_table({0, x.size(0)}, kStackHeadWidth, base);
  const Tensor cos = angle.cos(), sin = angle.sin();
  const Tensor a = x.narrow(1, 0, half), b = x.narrow(1, half, half);
  return at::cat({a * cos - b * sin, b * cos + a * sin}, 1);
}

Tensor plain_attention(const Tensor& x, const SelfAttention& attention) {
  const AttentionOptions& o = attention.options();
  const auto& [heads, key_heads, width] = o.shape;
  const Tensor merged = plain_map(x, *attention.qkv).view({x.size(0), -1, width});
  const Tensor distance =  // of a key after its query
      at::arange(x.size(0)).unsqueeze(0) - at::arange(x.size(0)).unsqueeze(1);
  Tensor hidden = distance > 0;
  if (o.mask == MaskKind::full) {
    hidden = distance.abs() > *o.window / 2;
  } else if (o.window) {
    hidden = hidden.logical_or(distance <= -*o.window);
  }
  const auto prepared_head = [&](int64_t head, const std::shared_ptr<Norm>& norm) {
    const Tensor normed = norm ? plain_norm(merged.select(1, head), *norm) : merged.select(1, head);
    return o.rotation ? plain_turn(normed, kBases[*o.rotation]) : normed;
  };
  std::vector<Tensor> outputs;
  for (int64_t head = 0; head < heads; ++head) {
    const int64_t key_head = heads + head / (heads / key_heads);
    const Tensor q = prepared_head(head, attention.query_norm);
    const Tensor k = prepared_head(key_head, attention.key_norm);
    const Tensor scores = q.mm(k.t()) / std::sqrt(static_cast<double>(width));
    const Tensor p = at::softmax(scores.masked_fill(hidden, -1e300), -1);
    outputs.push_back(p.mm(merged.select(1, key_head + key_heads)));
  }
  return plain_map(at::cat(outputs, 1), *attention.out);
}

Tensor plain_feed_forward(const Tensor& x, const FeedForward& network, bool gated) {
  const Tensor inner = plain_map(x, *network.in);
  const auto halves = inner.chunk(2, 1);
  return plain_map(gated ? at::gelu(halves[0]) * halves[1] : at::gelu(inner), *network.out);
}

Tensor plain_stack(Tensor x, const Stack& stack, const std::vector<BlockOptions>& blocks) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block& b = stack.layer(i);
    const auto f = [&](const Tensor& y) { return plain_attention(y, *b.attention); };
    const auto g = [&](const Tensor& y) {
      return plain_feed_forward(y, *b.feed_forward, is_gated(blocks[i].feed_forward.kind));
    };
    const auto n1 = [&](const Tensor& y) { return b.attention_norm ? plain_norm(y, *b.attention_norm) : y; };
    const auto n2 = [&](const Tensor& y) { return plain_norm(y, *b.feed_forward_norm); };
    switch (blocks[i].norm_order) {
      case NormOrder::pre:
        x = x + f(n1(x));
        x = x + g(n2(x));
        break;
      case NormOrder::post:
        x = n1(x + f(x));
        x = n2(x + g(x));
        break;
      case NormOrder::sandwich:
        x = x + plain_norm(f(n1(x)), *b.attention_out_norm);
        x = x + plain_norm(g(n2(x)), *b.feed_forward_out_norm);
        break;
      case NormOrder::branch:
        x = x + n1(f(x));
        x = x + n2(g(x));
        break;
    }
  }
  return stack.final_norm ? plain_norm(x, *stack.final_norm) : x;
}

// Every order of two kinds of norm order after each other, so that each hands over to each.
std::vector<BlockOptions> all_handovers() {
  const NormOrder orders[] = {NormOrder::pre, NormOrder::post, NormOrder::sandwich, NormOrder::branch};
  std::vector<BlockOptions> blocks;
  for (const NormOrder first : orders) {
    for (const NormOrder second : orders) {
      blocks.push_back(plain_block());
      blocks.back().norm_order = first;
      blocks.push_back(plain_block());
      blocks.back().norm_order = second;
    }
  }
  return blocks;
}

std::vector<std::string> names_of(const Module& module) { return module.named_parameters().names(); }

}  // namespace

TEST_CASE("a stack of unlike layers is what plain operators give") {
  const Rotary rotary;
  for (const std::vector<BlockOptions>& blocks : {unlike_blocks(), all_handovers()}) {
    const auto stack = prepared_stack(std::make_shared<Stack>(StackOptions{.blocks = blocks}), at::kDouble);
    const auto sequences = Sequences::uniform(1, kStackLongest);
    const Tensor x = at::randn({kStackLongest, kStackWidth}, at::kDouble);
    const Tensor states = stack->forward(x, rotary.view(sequences), nullptr);
    CHECK(relative_error(states, plain_stack(x, *stack, blocks)) < 1e-10);
  }
}

TEST_CASE("the fused kernels give a stack of unlike layers the states and gradients of float64") {
  const Rotary rotary;
  const Sequences sequences(std::vector<int64_t>{kStackLongest, 1, 4});
  const auto run = [&](at::ScalarType type) {
    const auto stack = prepared_stack(std::make_shared<Stack>(StackOptions{.blocks = unlike_blocks()}), type);
    at::manual_seed(4);
    const Tensor x = at::randn({14, kStackWidth}).to(type).requires_grad_();
    const Tensor states = stack->forward(x, rotary.view(sequences), nullptr);
    (states * at::arange(states.numel(), states.options()).view_as(states).sin()).sum().backward();
    std::vector<Tensor> all{states.detach(), x.grad()};
    for (const Tensor& parameter : stack->parameters()) {
      all.push_back(parameter.grad());
    }
    return all;
  };
  const std::vector<Tensor> fast = run(at::kFloat), exact = run(at::kDouble);
  for (size_t i = 0; i < exact.size(); ++i) {
    INFO(i);
    REQUIRE(fast[i].defined());
    CHECK(relative_error(fast[i], exact[i]) < 1e-4);
  }
}

TEST_CASE("every switch of a layer has right gradients, with dropout") {
  const Rotary rotary;
  const Sequences sequences(std::vector<int64_t>{4, 2});
  for (BlockOptions block : unlike_blocks()) {
    block.dropout = 0.2;
    block.attention.dropout = 0.2;
    const auto stack = prepared_stack(std::make_shared<Stack>(uniform_stack(1, block)), at::kDouble);
    const Tensor x = at::randn({6, kStackWidth}, at::kDouble).requires_grad_();
    check_gradients(
        *stack, [&] { return stack->forward(x, rotary.view(sequences), nullptr); }, x);
  }
}

TEST_CASE("sequences packed together do not see each other in any kind of layer") {
  const at::NoGradGuard no_grad;
  const Rotary rotary;
  const auto stack =
      prepared_stack(std::make_shared<Stack>(StackOptions{.blocks = unlike_blocks()}), at::kFloat);
  const Tensor x = at::randn({7 + kStackLongest, kStackWidth});
  const Sequences both(std::vector<int64_t>{7, kStackLongest});
  const auto alone = Sequences::uniform(1, kStackLongest);
  const Tensor packed_states = stack->forward(x, rotary.view(both), nullptr);
  const Tensor own = stack->forward(x.narrow(0, 7, kStackLongest), rotary.view(alone), nullptr);
  CHECK(relative_error(packed_states.narrow(0, 7, kStackLongest), own) < 1e-5);
}

TEST_CASE("a window ends what a layer sees, and layers above each other see farther") {
  const at::NoGradGuard no_grad;
  BlockOptions block = plain_block();
  block.attention.window = 3;
  const auto sequences = Sequences::uniform(1, kStackLongest);
  const Tensor x = at::randn({kStackLongest, kStackWidth}, at::kDouble);
  Tensor other = x.clone();
  other[1].neg_();  // a constant would be taken out by the norm
  for (const auto& [mask, layers, from, to] : std::vector<std::tuple<MaskKind, int64_t, int64_t, int64_t>>{
           {MaskKind::causal, 1, 1, 4}, {MaskKind::causal, 2, 1, 6}, {MaskKind::full, 1, 0, 3}}) {
    const auto stack = prepared_stack(std::make_shared<Stack>(uniform_stack(layers, block)), at::kDouble);
    const SelfView view{.sequences = sequences, .mask = mask};
    const Tensor change = stack->forward(other, view, nullptr) - stack->forward(x, view, nullptr);
    for (int64_t t = 0; t < kStackLongest; ++t) {
      INFO("position " << t);
      CHECK((change[t].abs().max().item<double>() > 1e-6) == (t >= from && t < to));
    }
  }
}

TEST_CASE("wanted rows of a stack of unlike layers are those of computing all") {
  const at::NoGradGuard no_grad;
  const Rotary rotary;
  const Sequences sequences(std::vector<int64_t>{5, 4, 6});
  const Tensor rows = at::tensor({1, 3, 7, 14}, at::kLong);
  const WantedRows wanted{.rows = rows, .counts = count_rows(rows, sequences)};
  for (BlockOptions last : unlike_blocks()) {
    for (const bool local : {true, false}) {
      last.attention.mask = MaskKind::full;
      last.attention.window = local ? std::optional<int64_t>(2) : std::nullopt;
      const auto stack =
          prepared_stack(std::make_shared<Stack>(StackOptions{.blocks = {plain_block(), last}}), at::kDouble);
      const Tensor x = at::randn({15, kStackWidth}, at::kDouble);
      const SelfView view = rotary.view(sequences);
      const Tensor all = stack->forward(x, view, nullptr).index_select(0, rows);
      CHECK(relative_error(stack->forward_at(x, view, wanted), all) < 1e-12);
    }
  }
}

TEST_CASE("layers that share a block are its copies, with one gradient for all") {
  const auto shared = prepared_stack(std::make_shared<Stack>(shared_stack(4, 2, plain_block())), at::kDouble);
  const auto apart = std::make_shared<Stack>(uniform_stack(4, plain_block()));
  apart->to(at::kDouble);
  REQUIRE(shared->layers() == 4);
  REQUIRE(shared->blocks.size() == 2);
  CHECK(&shared->layer(0) == &shared->layer(1));
  const auto own = shared->named_parameters();
  CHECK(2 * (own.size() - 2) == apart->named_parameters().size() - 2);  // both have a final norm
  const auto source = [&](const std::string& name) {                    // block 3 of four is block 1 of two
    return name.starts_with("block") ? "block" + std::to_string((name[5] - '0') / 2) + name.substr(6) : name;
  };
  {
    const at::NoGradGuard no_grad;
    for (const auto& item : apart->named_parameters()) {
      Tensor(item.value).copy_(own[source(item.name)]);
    }
  }
  const auto sequences = Sequences::uniform(2, 5);
  const SelfView view{.sequences = sequences, .mask = MaskKind::causal};
  const Tensor x = at::randn({10, kStackWidth}, at::kDouble);
  const Tensor states = shared->forward(x, view, nullptr);
  CHECK(at::equal(states, apart->forward(x, view, nullptr)));
  states.square().sum().backward();
  apart->forward(x, view, nullptr).square().sum().backward();
  for (const auto& item : own) {
    Tensor sum;
    for (const auto& copy : apart->named_parameters()) {
      if (source(copy.name) == item.name) {
        sum = sum.defined() ? sum + copy.value.grad() : copy.value.grad();
      }
    }
    INFO(item.name);
    CHECK(relative_error(item.value.grad(), sum) < 1e-12);
  }
  CHECK_THROWS_WITH(shared_stack(5, 2, plain_block()), Catch::Contains("5 layers cannot share 2 blocks"));
}

TEST_CASE("what is switched off has no parameter") {
  AttentionOptions attention{.width = kStackWidth, .shape = {2, 2, kStackHeadWidth}, .bias = false};
  CHECK(names_of(SelfAttention(attention)) == std::vector<std::string>{"qkv.weight", "out.weight"});
  attention.out_bias = true;
  CHECK(names_of(SelfAttention(attention)) ==
        std::vector<std::string>{"qkv.weight", "out.weight", "out.bias"});
  attention.bias = true;
  attention.out_bias = false;
  attention.qk_norm = QkNormOptions{};
  CHECK(names_of(SelfAttention(attention)) ==
        std::vector<std::string>{
            "qkv.weight", "qkv.bias", "out.weight", "query_norm.weight", "key_norm.weight"});
  attention.qk_norm->weights = NormWeights::none;
  CHECK(names_of(SelfAttention(attention)) ==
        std::vector<std::string>{"qkv.weight", "qkv.bias", "out.weight"});
  CHECK(names_of(CrossAttention(attention)) ==
        std::vector<std::string>{"q.weight", "q.bias", "kv.weight", "kv.bias", "out.weight"});
  CHECK(names_of(Norm({.width = 3, .weights = NormWeights::no_bias})) == std::vector<std::string>{"weight"});
  CHECK(names_of(Norm({.width = 3, .weights = NormWeights::none})).empty());
  BlockOptions block = plain_block();
  block.norm_order = NormOrder::post;
  block.entry_norm = false;
  CHECK_THROWS_AS(Block(block), std::logic_error);
}

TEST_CASE("initial norms of a block are the identity, the sandwich's second ones and those of heads too") {
  BlockOptions options = unlike_blocks()[1];
  Block block(options);
  init::block(block, {});
  for (const auto& item : block.named_parameters()) {
    if (item.name.find("norm") != std::string::npos) {
      INFO(item.name);
      CHECK(item.value.eq(1).all().item<bool>());
    }
  }
}
