// What of a model can be said of accelerators without one: on a device without memory (meta) LibTorch refuses
// tensors that were left on the CPU. It has no index_select there in C++, so whole models cannot run.
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

}  // namespace

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
