// Several classes at once for a text or a pair: each class is a yes or no of its own.
//
//   101 4248 2829 102     [CLS] quick brown [SEP]     set {0, 2} of 4     values 1 0 1 0
//
// Loss: binary cross-entropy, the mean over the classes of each text (BCEWithLogitsLoss; transformers'
// problem_type multi_label_classification).
//
// Legend: n sequences, C classes.
#include <ATen/ops/binary_cross_entropy_with_logits.h>

#include "base/check.h"
#include "core/registry.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/sequence_task.h"

namespace lmzoo {
namespace {

struct MultiLabelOptions {
  Pooling pooling = Pooling::first;
  FrameKind format = FrameKind::automatic;
  bool dense = true;  // a layer of its own before the output; without it fewer weights are new
  HeadActivation activation = HeadActivation::tanh;
  bool input_dropout = false;
  double dropout = 0.1;
  bool output_bias = true;
  double threshold = 0.5;  // a class is predicted when its probability is larger

  static constexpr void fields(auto& self, auto& visit) {
    visit_head(self, visit);
    visit("threshold", self.threshold, "a class is predicted when its probability is larger", inside(0, 1));
  }
};

class MultiLabel final : public SequenceTask {
 public:
  MultiLabel(const MultiLabelOptions& options, const ObjectiveContext& context)
      : SequenceTask(head_options(options),
                     context,
                     {.name = "classes",
                      .level = Level::sequence,
                      .predicts = Predicts::numbers,
                      .width = std::ssize(context.classes)},
                     std::ssize(context.classes),
                     "multi_label"),
        classes_(std::ssize(context.classes)),
        threshold_(options.threshold) {
    require_column(context.record, &RecordShape::labels, "labels", "multi_label");
    check(classes_ >= 1, "multi_label needs data with at least 1 class, and the training data has none");
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream&) const override {
    Example labeled = framed(sample);
    std::vector<float>& values = labeled.targets.front().values;
    values.assign(static_cast<size_t>(classes_), 0);
    for (const int64_t index : sample.label_set) {
      values.at(static_cast<size_t>(index)) = 1;
    }
    return labeled;
  }

 protected:
  LossTerm loss_of(const Tensor& scores, const Batch& batch) const override {
    const Tensor wanted = batch.slots.front().values.to(scores.device());
    const Tensor exact = scores.scalar_type() == at::kDouble ? scores : scores.to(at::kFloat);
    const Tensor each = at::binary_cross_entropy_with_logits(
        exact, wanted.to(exact.scalar_type()), {}, {}, at::Reduction::Sum);
    const Tensor right = (exact.detach().sigmoid() > threshold_).eq(wanted > 0.5).all(1).sum();
    return {.sum = each / classes_, .metrics = {{"subset_accuracy", right}}};
  }

  Predictions predictions_of(const Tensor& scores, const Batch& batch) const override {
    Predictions predictions;
    predictions.scores = rows_of(scores.to(at::kDouble).sigmoid());
    for (const std::vector<double>& row : predictions.scores) {
      predictions.sets.given.push_back(larger(row, threshold_));
    }
    for (const std::vector<double>& row : rows_of(batch.slots.front().values)) {
      predictions.sets.expected.push_back(larger(row, 0.5));
    }
    return predictions;
  }

 private:
  static std::vector<int64_t> larger(const std::vector<double>& row, double threshold) {
    std::vector<int64_t> indexes;
    for (size_t i = 0; i < row.size(); ++i) {
      if (row[i] > threshold) {
        indexes.push_back(static_cast<int64_t>(i));
      }
    }
    return indexes;
  }

  int64_t classes_;
  double threshold_;
};

}  // namespace

void register_multi_label(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "multi_label",
      .summary = "predict several classes of a text or a pair at once",
      .defaults = AnyOptions(MultiLabelOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<MultiLabel>(options.as<MultiLabelOptions>(), context);
      }});
}

}  // namespace lmzoo
