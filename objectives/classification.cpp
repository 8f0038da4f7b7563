// One class for every text or pair of texts: a head on a state of the model's source side, trained with the
// model (objectives/parts/heads.h has the published heads).
//
//   a text    101 4248 2829 102                [CLS] quick brown [SEP]                  label 2
//   a pair    101 4248 102 2829 3899 102       [CLS] quick [SEP] brown dog [SEP]        label 0
//             0   0    0   1    1    1         token types
//
// Legend: n sequences, C classes.
#include "base/check.h"
#include "core/registry.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/sequence_task.h"

namespace lmzoo {
namespace {

struct ClassificationOptions {
  Pooling pooling = Pooling::first;
  FrameKind format = FrameKind::automatic;
  bool dense = true;  // a layer of its own before the output; without it fewer weights are new
  HeadActivation activation = HeadActivation::tanh;
  bool input_dropout = false;
  double dropout = 0.1;
  bool output_bias = true;
  double label_smoothing = 0;  // share of the target that goes to all classes evenly

  static constexpr void fields(auto& self, auto& visit) {
    visit_head(self, visit);
    visit("label_smoothing",
          self.label_smoothing,
          "share of the target spread over all classes",
          half_open(0, 1));
  }
};

class Classification final : public SequenceTask {
 public:
  Classification(const ClassificationOptions& options, const ObjectiveContext& context)
      : SequenceTask(head_options(options),
                     context,
                     {.name = "class", .level = Level::sequence, .predicts = Predicts::classes},
                     std::ssize(context.classes),
                     "classification"),
        classes_(std::ssize(context.classes)),
        label_smoothing_(options.label_smoothing) {
    require_column(context.record, &RecordShape::label, "label", "classification");
    check(classes_ >= 2,
          "classification needs data with at least 2 different labels, and the training data has {}",
          classes_);
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream&) const override {
    check(sample.label >= 0 && sample.label < classes_,
          "a sample has label {} but there are {} classes",
          sample.label,
          classes_);
    Example labeled = framed(sample);
    labeled.targets.front().labels = {sample.label};
    return labeled;
  }

 protected:
  LossTerm loss_of(const Tensor& scores, const Batch& batch) const override {
    return class_loss(scores, batch.slots.front(), label_smoothing_);
  }
  Predictions predictions_of(const Tensor& scores, const Batch& batch) const override {
    return class_predictions(scores, batch.slots.front().labels);
  }

 private:
  int64_t classes_;
  double label_smoothing_;
};

}  // namespace

void register_classification(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "classification",
      .summary = "predict the class of a text or a pair",
      .defaults = AnyOptions(ClassificationOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<Classification>(options.as<ClassificationOptions>(), context);
      }});
}

}  // namespace lmzoo
