// A device without memory (meta) shows that nothing of a model is left on the CPU: LibTorch refuses to mix
// the two. What every kernel computes there is another matter: tests/cuda.
#include <ATen/Context.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include "model_support.h"
#include "nn/attention_note.h"
#include "nn/kernels/linear.h"
#include "nn/parameter.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

std::shared_ptr<Model> model_on_meta(const ModelSpec& spec) {
  const MetaScope scope;
  return make_model(spec);
}

Inputs inputs_on_meta(const Model& model, const Ids& ids) {
  const bool two = model.architecture() == Architecture::encoder_decoder;
  return packed(ids, two ? random_ids({2, 4, 1}) : Ids{}).to(at::kMeta);
}

void check_on_meta(Model& model, const Tensor& states) {
  REQUIRE(states.is_meta());
  const Tensor logits = model.logits(states);
  REQUIRE(logits.is_meta());
  logits.sum().backward();
  for (const auto& item : model.named_parameters()) {
    INFO(item.name);
    const Tensor& gradient = item.value.grad();
    CHECK((!gradient.defined() || gradient.is_meta()));
  }
}

}  // namespace

TEST_CASE("forward and backward passes of every family stay on the device of their inputs") {
  for (const ModelSpec& spec : tiny_models()) {
    INFO(describe(spec));
    const auto model = model_on_meta(spec);
    model->train();  // with dropout
    for (const Ids& ids : {random_ids({5, 1, 3}), random_ids({3, 3, 3})}) {
      check_on_meta(*model, model->hidden(inputs_on_meta(*model, ids)));
    }
    const Tensor rows = at::tensor({1, 5, 8}, at::kLong);
    if (model->architecture() != Architecture::encoder_decoder) {
      const Inputs inputs = inputs_on_meta(*model, random_ids({5, 1, 3}));
      const WantedRows wanted{.rows = rows.to(at::kMeta), .counts = {1, 1, 1}};
      check_on_meta(*model, model->hidden_at(inputs, wanted));
      const WantedRows gap{.rows = rows.narrow(0, 0, 2).to(at::kMeta), .counts = {1, 1, 0}};
      check_on_meta(*model, model->hidden_at(inputs, gap));
    }
    if (model->architecture() == Architecture::decoder_only) {
      Inputs inputs = inputs_on_meta(*model, random_ids({5, 1, 3}));
      inputs.prefix = {2, 0, 3};
      check_on_meta(*model, model->hidden(inputs));
    }
  }
}

TEST_CASE("low-rank additions stay on the device of their inputs, in bfloat16 and with any number of rows") {
  const auto options = at::TensorOptions(at::kMeta).dtype(at::kBFloat16);
  for (const int64_t rows : {3, 65, 515}) {
    const Tensor x = at::randn({rows, 40}, options).requires_grad_();
    const Tensor weight = at::randn({24, 40}, options);
    const LowRankTerm term{.x = x,
                           .a = at::randn({3, 40}, options).requires_grad_(),
                           .b = at::randn({8, 3}, options).requires_grad_()};
    const Tensor y = adapted_linear_rows(x, weight, {}, std::vector{term});
    REQUIRE(y.is_meta());
    y.sum().backward();
    CHECK(x.grad().is_meta());
    CHECK(term.a.grad().is_meta());
  }
}

TEST_CASE("a note says how many layers do not take flash on CUDA, and why") {
  const auto note = [](const ModelSpec& spec, MaskKind mask, at::ScalarType type) {
    return attention_note(*model_on_meta(spec), mask, type);
  };
  const ModelSpec gpt{.family = "gpt", .settings = {{"layers", "3"}}};
  CHECK(note(gpt, MaskKind::causal, at::kBFloat16).empty());
  CHECK(note(gpt, MaskKind::prefix, at::kBFloat16) ==
        "attention of 3 of 3 layers is padded and takes LibTorch's memory-efficient kernel, not flash: "
        "a prefix that is seen from both sides");
  CHECK_THAT(note(gpt, MaskKind::causal, at::kFloat), Catch::EndsWith("not flash: float32"));
  const ModelSpec t5{.family = "t5", .settings = {{"layers", "2"}}};
  CHECK_THAT(note(t5, MaskKind::causal, at::kBFloat16), Catch::EndsWith("not flash: relative positions"));
  const ModelSpec wide{.family = "gpt", .settings = {{"layers", "1"}, {"head_width", "320"}}};
  CHECK_THAT(note(wide, MaskKind::causal, at::kBFloat16), Catch::EndsWith("not flash: heads of 320"));
}
