// A tensor that a step makes without saying where lands on the CPU, and stops or slows a step on a GPU. Such calls
// can be seen without one: the dispatcher is asked for a factory with no device.
#include <functional>
#include <set>

#include <ATen/core/function_schema.h>
#include <ATen/core/jit_type.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/record_function.h>
#include <c10/util/Backtrace.h>

#include "support/catch.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/loop/step.h"
#include "train/run/assemble.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// What the callbacks, which capture nothing, write to.
std::set<std::string>* deviceless = nullptr;
int depth = 0;  // of operators inside each other: what LibTorch does inside its own is its business

bool lacks_device(const at::RecordFunction& call) {
  const std::optional<c10::FunctionSchema> schema = call.operator_schema();
  if (!schema || schema->arguments().empty() ||
      schema->arguments()[0].type()->isSubtypeOf(*c10::TensorType::get())) {
    return false;  // told none, these take the device of their first argument
  }
  const auto& arguments = schema->arguments();
  for (size_t i = 0; i < arguments.size() && i < call.inputs().size(); ++i) {
    if (arguments[i].name() == "device" && call.inputs()[i].isNone()) {
      return true;
    }
  }
  return false;
}

std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& call) {
  if (depth++ == 0 && lacks_device(call)) {
    deviceless->insert(std::string(call.name()) + " at\n" +
                       c10::get_backtrace(/*frames_to_skip=*/6, /*maximum_number_of_frames=*/12));
  }
  return nullptr;
}

void leave(const at::RecordFunction&, at::ObserverContext*) { --depth; }

// The factories that `body` calls without a device, with where.
std::set<std::string> deviceless_calls(const std::function<void()>& body) {
  std::set<std::string> found;
  deviceless = &found;
  const auto handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(enter, leave).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  body();
  at::removeCallback(handle);
  return found;
}

}  // namespace

TEST_CASE("a factory that is not told a device is seen, one that is told or takes a tensor's is not") {
  const Tensor x = at::ones({2}, at::TensorOptions(at::kFloat).device(at::kCPU));
  CHECK(deviceless_calls([&] { at::zeros({3}, x.options()); }).empty());
  CHECK(deviceless_calls([&] { at::zeros_like(x, at::kDouble); }).empty());
  CHECK_FALSE(deviceless_calls([&] { at::zeros({3}, at::kFloat); }).empty());
  CHECK_FALSE(deviceless_calls([&] { at::tensor({1.0, 2.0}); }).empty());
}

TEST_CASE("a training step of any family and objective says on which device every tensor is to be") {
  const TempDir folder;
  const std::string precision = GENERATE("fp32", "bf16");
  for (const std::string config : {"bert",
                                   "gpt",
                                   "t5",
                                   "classify",
                                   "lora",
                                   "pair",
                                   "multi_label",
                                   "tags",
                                   "answers",
                                   "choices",
                                   "gpt1_task",
                                   "regression",
                                   "text_to_text",
                                   "completion"}) {
    INFO(config << " in " << precision);
    const std::vector<std::string> changes{"data.cache_dir=" + (folder / "cache"),
                                           "train.batch_size=4",
                                           "data.workers=0",
                                           "train.precision=" + precision};
    Assembled run =
        assemble(debug_config(config, changes), registry(), {.style = ProgressBar::Style::silent});
    const Batch batch = run.batches->next();
    const StepParts parts{.model = *run.parts.model,
                          .objective = *run.parts.objective,
                          .optimizer = *run.optimizer,
                          .precision = precision == "bf16" ? Precision::bf16 : Precision::fp32};
    CHECK(deviceless_calls([&] { train_step(parts, {batch}, 1, 1e-3); }) == std::set<std::string>{});
  }
}
