// What every family keeps: shapes, independence of sequences packed together, causality, masks.
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "model_support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

constexpr double kClose = 1e-5;  // the same sums, in another order

std::shared_ptr<Model> random_model(const ModelSpec& spec) {
  at::manual_seed(3);
  const std::shared_ptr<Model> model = make_model(spec);
  randomize(*model);
  return model;
}

bool two_stacks(const Model& model) { return model.architecture() == Architecture::encoder_decoder; }

// Rows that hidden() gives for sequence i of `ids` (and `targets`), all packed together.
Tensor states_of(Model& model, const Ids& ids, const Ids& targets, int64_t i) {
  const Inputs inputs = packed(ids, two_stacks(model) ? targets : Ids{});
  const Sequences& out = two_stacks(model) ? inputs.decoder_sequences : inputs.sequences;
  return model.hidden(inputs).narrow(0, out.start(i), out.length(i));
}

}  // namespace

TEST_CASE("states are [N, D] and logits [K, V] in every family") {
  const at::NoGradGuard no_grad;
  for (const ModelSpec& spec : tiny_models()) {
    INFO(describe(spec));
    const auto model = random_model(spec);
    const Inputs inputs = packed(random_ids({5, 1, 3}), two_stacks(*model) ? random_ids({2, 4, 1}) : Ids{});
    const Tensor states = model->hidden(inputs);
    const int64_t rows = two_stacks(*model) ? 7 : 9;
    CHECK(states.sizes() == at::IntArrayRef({rows, 8}));
    CHECK(model->width() == 8);
    CHECK(model->encode(inputs).sizes() == at::IntArrayRef({9, 8}));
    CHECK(model->logits(states.slice(0, 0, 2)).sizes() == at::IntArrayRef({2, 29}));
    CHECK(states.isfinite().all().item<bool>());
  }
}

TEST_CASE("a sequence has the same states alone as packed among others") {
  const at::NoGradGuard no_grad;
  for (const ModelSpec& spec : tiny_models()) {
    INFO(describe(spec));
    const auto model = random_model(spec);
    const Ids ids = random_ids({4, 6, 2});
    const Ids targets = random_ids({3, 5, 1});
    for (size_t i = 0; i < ids.size(); ++i) {
      const Tensor alone = states_of(*model, {ids[i]}, {targets[i]}, 0);
      const Tensor among = states_of(*model, ids, targets, static_cast<int64_t>(i));
      CHECK(relative_error(among, alone) < kClose);
    }
  }
}

TEST_CASE("a decoder's position does not see later ones, an encoder's does") {
  const at::NoGradGuard no_grad;
  for (const ModelSpec& spec : tiny_models()) {
    INFO(describe(spec));
    const auto model = random_model(spec);
    const Ids before = random_ids({6});
    Ids after = before;
    after[0][4] = (after[0][4] + 1) % 29;
    const Ids source = random_ids({5});
    const bool two = two_stacks(*model);
    const Tensor a = model->hidden(two ? packed(source, before) : packed(before));
    const Tensor b = model->hidden(two ? packed(source, after) : packed(after));
    CHECK(relative_error(b.slice(0, 4), a.slice(0, 4)) > 1e-3);
    const double early = relative_error(b.slice(0, 0, 4), a.slice(0, 0, 4));
    if (model->architecture() == Architecture::encoder_only) {
      CHECK(early > 1e-3);
    } else {
      CHECK(early < kClose);
    }
  }
}

TEST_CASE("every target of an encoder-decoder sees the whole source") {
  const at::NoGradGuard no_grad;
  const auto model = random_model(tiny_models().back());
  Ids source = random_ids({5});
  const Ids target = random_ids({3});
  const Tensor before = model->hidden(packed(source, target));
  source[0][4] = (source[0][4] + 1) % 29;
  const Tensor after = model->hidden(packed(source, target));
  for (int64_t t = 0; t < 3; ++t) {
    CHECK(relative_error(after[t], before[t]) > 1e-3);
  }
}

TEST_CASE("a prefix is seen by its whole sequence and sees nothing after it") {
  const at::NoGradGuard no_grad;
  const auto model = random_model({.family = "gpt"});
  const Ids ids = random_ids({6, 4});
  Inputs inputs = packed(ids);
  inputs.prefix = {3, 0};
  const Tensor states = model->hidden(inputs);

  Ids other = ids;
  other[0][2] = (other[0][2] + 1) % 29;  // the last one of the prefix reaches the first position
  Inputs changed = packed(other);
  changed.prefix = inputs.prefix;
  CHECK(relative_error(model->hidden(changed)[0], states[0]) > 1e-3);

  other = ids;
  other[0][3] = (other[0][3] + 1) % 29;  // the first one after it does not
  changed = packed(other);
  changed.prefix = inputs.prefix;
  CHECK(relative_error(model->hidden(changed).slice(0, 0, 3), states.slice(0, 0, 3)) < kClose);

  inputs.prefix.clear();  // a sequence without a prefix is causal
  CHECK(relative_error(states.slice(0, 6), model->hidden(inputs).slice(0, 6)) < kClose);
}

TEST_CASE("token types change the states of bert, and absent ones are all 0") {
  const at::NoGradGuard no_grad;
  const auto model = random_model({.family = "bert"});
  Inputs inputs = packed(random_ids({5}));
  const Tensor absent = model->hidden(inputs);
  inputs.token_types = at::zeros({5}, at::kLong);
  CHECK(relative_error(model->hidden(inputs), absent) < 3 * kClose);
  inputs.token_types = at::tensor({0, 0, 1, 1, 1}, at::kLong);
  CHECK(relative_error(model->hidden(inputs), absent) > 1e-3);
}

TEST_CASE("under bfloat16 autocast states stay near those of float32") {
  const at::NoGradGuard no_grad;
  for (const ModelSpec& spec : tiny_models()) {
    INFO(describe(spec));
    at::manual_seed(3);
    const auto model = make_model(spec);  // with its own initial weights
    const Inputs inputs = packed(random_ids({6, 4}), two_stacks(*model) ? random_ids({3, 5}) : Ids{});
    const Tensor exact = model->hidden(inputs);
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    const Tensor half = model->hidden(inputs);
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    const Tensor difference = half.to(at::kFloat) - exact;
    CHECK((difference.norm() / exact.norm()).item<double>() < 1e-2);
  }
}
