// A number for a text or a pair, such as how alike two sentences are (STS-B).
//
//   101 4248 102 2829 102     [CLS] quick [SEP] brown [SEP]     value 3.8
//
// Loss: the squared difference (transformers' problem_type regression).
//
// Legend: n sequences.
#include "core/registry.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/sequence_task.h"

namespace lmzoo {
namespace {

class Regression final : public SequenceTask {
 public:
  Regression(const HeadOptions& options, const ObjectiveContext& context)
      : SequenceTask(options,
                     context,
                     {.name = "number", .level = Level::sequence, .predicts = Predicts::numbers},
                     1,
                     "regression") {
    require_column(context.record, &RecordShape::value, "value", "regression");
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream&) const override {
    Example labeled = framed(sample);
    labeled.targets.front().values = {static_cast<float>(sample.value.value_or(0))};
    return labeled;
  }

 protected:
  LossTerm loss_of(const Tensor& numbers, const Batch& batch) const override {
    const Tensor exact = numbers.scalar_type() == at::kDouble ? numbers : numbers.to(at::kFloat);
    const Tensor difference = exact - batch.slots.front().values.to(exact.device(), exact.scalar_type());
    return {.sum = difference.square().sum()};
  }

  Predictions predictions_of(const Tensor& numbers, const Batch& batch) const override {
    Predictions predictions;
    for (const std::vector<double>& row : rows_of(numbers)) {
      predictions.values.given.push_back(row.front());
    }
    for (const std::vector<double>& row : rows_of(batch.slots.front().values)) {
      predictions.values.expected.push_back(row.front());
    }
    return predictions;
  }
};

}  // namespace

void register_regression(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "regression",
      .summary = "predict a number of a text or a pair",
      .defaults = AnyOptions(HeadOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<Regression>(options.as<HeadOptions>(), context);
      }});
}

}  // namespace lmzoo
