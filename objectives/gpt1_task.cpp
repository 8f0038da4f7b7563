// Tasks as GPT-1 is fine-tuned on them (Radford et al. 2018, figure 1 and section 3.2): every task becomes
// sequences of one form, a linear layer reads the state of the last token, and the model goes on predicting
// the next token with a weight.
//
//   one text                  <s> a [CLS]                                   C classes
//   two texts                 <s> a [SEP] b [CLS]                           C classes (entailment)
//   two texts, both_orders    <s> a [SEP] b [CLS]  +  <s> b [SEP] a [CLS]   C classes of the sum of both
//   (similarity) choices                   <s> a [SEP] choice [CLS], one for each        softmax over the
//   choices
//
// The paper's start, delimiter and extract tokens are the tokenizer's bos, sep and cls.
//
//   loss = class loss + lm_weight · mean over the tokens of the example
//
// Legend: n sequences, m examples, C classes.
#include <numeric>

#include <ATen/ops/dropout.h>
#include <ATen/ops/zeros.h>

#include "base/check.h"
#include "core/registry.h"
#include "objectives/parts/heads.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/task_objective.h"

namespace lmzoo {
namespace {

struct Gpt1TaskOptions {
  double lm_weight = 0.5;
  bool both_orders = false;
  double dropout = 0.1;

  static constexpr void fields(auto& self, auto& visit) {
    visit("lm_weight", self.lm_weight, "weight of the next-token loss; 0: none", at_least(0));
    visit("both_orders", self.both_orders, "read a pair in both orders and add the states (similarity)");
    visit("dropout", self.dropout, "dropout before the output layer", half_open(0, 1));
  }
};

class Gpt1Task final : public TaskObjective {
 public:
  Gpt1Task(const Gpt1TaskOptions& options, const ObjectiveContext& context)
      : options_(options),
        length_(context.sequence_length),
        classes_(std::ssize(context.classes)),
        has_choices_(context.record.choices > 0),
        start_(required_token(context.vocabulary.bos, "bos", "gpt1_task")),
        delimiter_(required_token(context.vocabulary.sep, "[SEP]", "gpt1_task")),
        extract_(required_token(context.vocabulary.cls, "[CLS]", "gpt1_task")) {
    const RecordShape& record = context.record;
    check(
        context.architecture == Architecture::decoder_only,
        "gpt1_task reads the last token's state and predicts the next token: it needs a decoder-only model");
    require_column(record, &RecordShape::label, "label", "gpt1_task");
    const int64_t most = has_choices_ ? 1 : 2;
    check(record.texts <= most,
          "gpt1_task reads {}, but data.train.text names {} columns",
          has_choices_ ? "one text before its choices" : "one text or a pair",
          record.texts);
    check(!options.both_orders || record.texts == 2,
          "both_orders is set, but data.train.text names {} column, not a pair",
          record.texts);
    check(has_choices_ || classes_ >= 2,
          "gpt1_task needs data with at least 2 different labels, and the training data has {}",
          classes_);
    require_length(length_, 5, "gpt1_task");
    output_ = register_module("output", new_head_map(context.width, has_choices_ ? 1 : classes_));
  }

  ObjectiveForm form() const override { return {.layout = Layout::in_place}; }
  std::vector<Slot> slots() const override {
    return {{.name = "class", .level = Level::group, .predicts = Predicts::classes}, {.name = "next_token"}};
  }
  ObjectiveLengths lengths() const override {
    return {.raw = length_ - 3, .source = length_, .target = 0, .added = 3};
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream&) const override {
    Example example{.layout = Layout::in_place, .sequences = {}, .targets = {{.labels = {sample.label}}}};
    if (has_choices_) {
      for (const std::vector<int64_t>& choice : sample.choices) {
        example.sequences.push_back(pair(sample.ids, choice));
      }
    } else if (sample.further_texts.empty()) {
      example.sequences.push_back(one(sample.ids));
    } else {
      example.sequences.push_back(pair(sample.ids, sample.further_texts.front()));
      if (options_.both_orders) {
        example.sequences.push_back(pair(sample.further_texts.front(), sample.ids));
      }
    }
    if (options_.lm_weight > 0) {
      add_next_tokens(example);
    }
    return example;
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    const Tensor states = model.hidden(batch.inputs);
    return with_next_tokens(model, states, batch, loss_of(scores(states, batch), batch));
  }

  Losses loss_and_predictions(Model& model, const Batch& batch, Stream&, Predictions& predictions) override {
    const Tensor states = model.hidden(batch.inputs);
    const Tensor given = scores(states, batch);
    predictions.append(predictions_of(given.detach(), batch));
    return with_next_tokens(model, states, batch, loss_of(given, batch));
  }

 protected:
  Tensor outputs(Model& model, const Batch& batch) override {
    return scores(model.hidden(batch.inputs), batch);
  }
  LossTerm loss_of(const Tensor& given, const Batch& batch) const override {
    return class_loss(given, batch.slots.front(), 0);
  }
  Predictions predictions_of(const Tensor& given, const Batch& batch) const override {
    return class_predictions(given, batch.slots.front().labels);
  }

 private:
  TokenSequence one(const std::vector<int64_t>& text) const {
    TokenSequence sequence{.ids = {start_}};
    append(sequence.ids, head_of(text, length_ - 2));
    sequence.ids.push_back(extract_);
    return sequence;
  }

  TokenSequence pair(const std::vector<int64_t>& first, const std::vector<int64_t>& second) const {
    const auto [a, b] = longest_first(std::ssize(first), std::ssize(second), length_ - 3);
    TokenSequence sequence{.ids = {start_}};
    append(sequence.ids, head_of(first, a));
    sequence.ids.push_back(delimiter_);
    append(sequence.ids, head_of(second, b));
    sequence.ids.push_back(extract_);
    return sequence;
  }

  static void append(std::vector<int64_t>& ids, std::span<const int64_t> more) {
    ids.insert(ids.end(), more.begin(), more.end());
  }

  // Every id predicts the next one. Each sequence weighs the same in its example, however long it is, and each
  // example 1.
  static void add_next_tokens(Example& example) {
    const auto sequences = std::ssize(example.sequences);
    for (int64_t s = 0; s < sequences; ++s) {
      const std::vector<int64_t>& ids = example.sequences[static_cast<size_t>(s)].ids;
      Target next{.slot = 1, .sequence = s};
      next.labels.assign(ids.begin() + 1, ids.end());
      next.at.resize(next.labels.size());
      std::iota(next.at.begin(), next.at.end(), 0);
      next.weights.assign(next.labels.size(), 1.0F / static_cast<float>(std::ssize(next.labels) * sequences));
      example.targets.push_back(std::move(next));
    }
  }

  // [m, C], of choices -inf behind the last.
  Tensor scores(const Tensor& states, const Batch& batch) const {
    const Tensor rows = last_rows(batch.inputs.sequences).rows;
    const Tensor last = at::dropout(states.index_select(0, rows), options_.dropout, is_training());  // [n, D]
    const Sequences groups = Sequences(batch.group_sizes).to(states.device());
    return has_choices_ ? padded_logits(output_->forward(last).squeeze(1), groups)
                        : output_->forward(to_padded(last, groups).sum(1));
  }

  Losses with_next_tokens(Model& model, const Tensor& states, const Batch& batch, LossTerm classes) const {
    Losses losses{std::move(classes)};
    const SlotBatch& next = batch.slots[1];
    if (next.count() > 0) {
      LossTerm term = language_model_loss(model, states, batch, 1);
      term.weight = options_.lm_weight;
      term.metrics.clear();
      losses.push_back(std::move(term));
    }
    return losses;
  }

  Gpt1TaskOptions options_;
  int64_t length_;
  int64_t classes_;
  bool has_choices_;
  int64_t start_, delimiter_, extract_;
  std::shared_ptr<Linear> output_;
};

}  // namespace

void register_gpt1_task(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "gpt1_task",
      .summary = "classes and choices in GPT-1's form, with its next-token loss beside them",
      .defaults = AnyOptions(Gpt1TaskOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<Gpt1Task>(options.as<Gpt1TaskOptions>(), context);
      }});
}

}  // namespace lmzoo
