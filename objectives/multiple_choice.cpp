// Which of several texts is right: each is read with what they share, and a head scores it; softmax over the
// choices of an example, of which there may be any number.
//
//   text 7 8, choices 10 | 11 12, label 1     [CLS] 7 8 [SEP] 10 [SEP]
//                                             [CLS] 7 8 [SEP] 11 12 [SEP]     label 1, groups 2
//   a second text begins every choice (SWAG): 9 -> [CLS] 7 8 [SEP] 9 10 [SEP] ...
//
// Legend: n sequences, m examples, C most choices of one.
#include "base/check.h"
#include "core/registry.h"
#include "objectives/parts/heads.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/task_objective.h"

namespace lmzoo {
namespace {

class MultipleChoice final : public TaskObjective {
 public:
  MultipleChoice(const HeadOptions& options, const ObjectiveContext& context)
      : length_(context.sequence_length),
        frame_(options.format, context.vocabulary, "multiple_choice"),
        head_(options, context, 1, "multiple_choice") {
    const RecordShape& record = context.record;
    require_column(record, &RecordShape::label, "label", "multiple_choice");
    check(
        record.texts == 0 || record.choices >= 2,
        "multiple_choice needs data with a column for each choice or a list of them: set data.train.choices");
    check(record.texts <= 2,
          "multiple_choice reads one text, or two of which the second begins every choice, but "
          "data.train.text names {} columns",
          record.texts);
    require_length(length_, 2 + frame_.added(2), "multiple_choice");
    head_.register_in(*this);
  }

  ObjectiveForm form() const override { return {.layout = Layout::in_place}; }
  std::vector<Slot> slots() const override {
    return {{.name = "choice", .level = Level::group, .predicts = Predicts::classes}};
  }
  ObjectiveLengths lengths() const override {
    return {.raw = length_ - frame_.added(2), .source = length_, .target = 0, .added = frame_.added(2)};
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream&) const override {
    check(sample.choices.size() >= 2, "a sample has {} choices but needs at least 2", sample.choices.size());
    Example choices{.layout = Layout::in_place, .sequences = {}, .targets = {{.labels = {sample.label}}}};
    for (const std::vector<int64_t>& choice : sample.choices) {
      std::vector<int64_t> second =
          sample.further_texts.empty() ? std::vector<int64_t>{} : sample.further_texts.front();
      second.insert(second.end(), choice.begin(), choice.end());
      const auto [a, b] =
          longest_first(std::ssize(sample.ids), std::ssize(second), length_ - frame_.added(2));
      FramedTexts texts = frame_.pair(head_of(sample.ids, a), head_of(second, b));
      choices.sequences.push_back({.ids = std::move(texts.ids), .token_types = std::move(texts.token_types)});
    }
    return choices;
  }

 protected:
  // [m, C], -inf behind the last choice of an example.
  Tensor outputs(Model& model, const Batch& batch) override {
    const Tensor scores = head_.forward(head_.state(model, batch.inputs), is_training());  // [n, 1]
    return padded_logits(scores.squeeze(1), Sequences(batch.group_sizes).to(scores.device()));
  }
  LossTerm loss_of(const Tensor& scores, const Batch& batch) const override {
    return class_loss(scores, batch.slots.front(), 0);
  }
  Predictions predictions_of(const Tensor& scores, const Batch& batch) const override {
    Predictions predictions = class_predictions(scores, batch.slots.front().labels);
    for (size_t i = 0; i < predictions.scores.size(); ++i) {
      predictions.scores[i].resize(static_cast<size_t>(batch.group_sizes[i]));
    }
    return predictions;
  }

 private:
  int64_t length_;
  InputFrame frame_;
  Head head_;
};

}  // namespace

void register_multiple_choice(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "multiple_choice",
      .summary = "choose among several texts",
      .defaults = AnyOptions(HeadOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<MultipleChoice>(options.as<HeadOptions>(), context);
      }});
}

}  // namespace lmzoo
