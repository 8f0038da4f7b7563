// Knowledge distillation (Hinton et al. 2015; Sanh et al. 2019, "DistilBERT", section 3): the run's model, the student,
// learns beside the labels of an objective what a trained model, the teacher, holds for likely at the same places, and to
// have states that point where the teacher's do. With the defaults, DistilBERT's recipe,
//
//   loss = 5 · T² KL(teacher ‖ student) + 2 · L_objective + 1 · (1 - cos(student, teacher)),   T = 2
//
// (huggingface/transformers-research-projects, distillation: --alpha_ce 5 --alpha_mlm 2 --alpha_cos 1 --temperature 2). KL
// and labels are means over the labeled positions, the cosine of last hidden states is one over all positions. DistilBERT's
// code takes the KL of every position of a text; here logits are made where there are labels only.
//
//   objective: {type: distillation, teacher: runs/bert, objective: {type: masked_lm}}
//   warm_start: {from: runs/bert, every: 2}      the student begins with every second block of the teacher
//
// `layers` compares further states: the state behind block i of the student with that behind block layers[i] of the
// teacher (Sun et al. 2019, "Patient knowledge distillation", section 3.2).
//
// The teacher is opened when the run begins and is no part of it: a finished run is asked without it.
//
// Legend: N positions, K labeled ones, D width, V vocabulary.
#include <ATen/ops/cosine_similarity.h>

#include "core/registry.h"
#include "objectives/parts/known_states.h"
#include "objectives/parts/soft_targets.h"

namespace lmzoo {
namespace {

struct DistillationOptions {
  std::string teacher{};
  NestedChoice objective{};
  double temperature = 2;
  double soft_weight = 5;
  double label_weight = 2;
  double state_weight = 1;
  std::vector<int64_t> layers{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("teacher", self.teacher, "a run, a checkpoint or a Hugging Face folder to learn from");
    visit("objective", self.objective, "what examples and labels are made by, as masked_lm");
    visit("temperature",
          self.temperature,
          "T: logits of both are divided by it; more: also what the teacher holds for unlikely",
          more_than(0));
    visit("soft_weight", self.soft_weight, "of the teacher's shares, times T²", at_least(0));
    visit("label_weight", self.label_weight, "of the objective's own loss", at_least(0));
    visit("state_weight", self.state_weight, "of the cosine of states; 0: none, of any widths", at_least(0));
    visit("layers",
          self.layers,
          "blocks of the teacher, from 0, one for each of the student's, whose states are compared; empty: "
          "the last with the last",
          at_least(0));
  }
};

// States behind the blocks that are compared, each [N, D]; the last is what the head reads.
struct BlockStates {
  std::vector<Tensor> compared;
  Tensor last;
};

BlockStates states_behind(Model& model, const Inputs& inputs, const std::vector<int64_t>& blocks) {
  BlockStates states;
  Trace trace;
  Inputs traced = inputs;
  traced.trace = blocks.empty() ? inputs.trace : &trace;
  states.last = model.hidden(traced);
  for (const int64_t block : blocks) {
    states.compared.push_back(trace.hidden.at(static_cast<size_t>(block + 1)));  // 0: the embeddings
  }
  if (blocks.empty()) {
    states.compared.push_back(states.last);
  }
  return states;
}

class Distillation final : public Objective {
 public:
  Distillation(const DistillationOptions& options, const ObjectiveContext& context)
      : options_(options),
        needs_{.architecture = context.architecture,
               .width = context.width,
               .blocks = context.blocks,
               .length = context.sequence_length},
        ids_(context.vocabulary.size) {
    objective_ = register_module("objective", context.make_objective(options.objective, context));
    const std::vector<Slot> slots = objective_->slots();
    check(slots.size() == 1 && slots[0].predicts == Predicts::ids && !objective_->form().of_words,
          "objective: {} does not predict tokens and nothing else, which is what a teacher is asked for; "
          "legal are those that do, as masked_lm, causal_lm and span_corruption",
          options.objective.type());
    check(options.soft_weight + options.label_weight + options.state_weight > 0,
          "soft_weight, label_weight and state_weight are all 0, so nothing is learned");
    open_ = [open = context.open_model, path = options.teacher] { return open(path); };
    if (!context.is_asked) {
      open_teacher();
    }
    if (options.state_weight > 0 && objective_->form().layout == Layout::in_place &&
        context.architecture != Architecture::encoder_decoder) {
      states_slot_ = 1;
    }
  }

  ObjectiveForm form() const override { return objective_->form(); }
  // States are compared at every position; where the first slot has them all, there.
  std::vector<Slot> slots() const override {
    std::vector<Slot> slots = objective_->slots();
    if (states_slot_ > 0) {
      slots.push_back({.name = "states", .predicts = Predicts::classes, .classes = {"compared"}});
    }
    return slots;
  }
  ObjectiveLengths lengths() const override { return objective_->lengths(); }
  bool fills_any_share() const override { return objective_->fills_any_share(); }
  std::optional<int64_t> begins_with() const override { return objective_->begins_with(); }
  std::optional<MiddleTokens> fills_in() const override { return objective_->fills_in(); }
  std::vector<FurtherModel> further_models() const override {
    return teacher_.model == nullptr ? std::vector<FurtherModel>{} : std::vector{teacher_};
  }

  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override {
    return with_states(objective_->example(sample, place, stream));
  }
  std::vector<Example> examples(const Sample& sample,
                                const TrainingPlace& place,
                                Stream& stream) const override {
    std::vector<Example> all;
    for (Example& example : objective_->examples(sample, place, stream)) {
      all.push_back(with_states(std::move(example)));
    }
    return all;
  }
  bool adapts() const override { return objective_->adapts(); }
  void follow() override { objective_->follow(); }
  void adapt() override { objective_->adapt(); }
  bool cuts(const Sample& sample) const override { return objective_->cuts(sample); }

  Losses loss(Model& model, const Batch& batch, Stream& stream) override {
    const std::vector<int64_t> own = own_blocks();
    const BlockStates said = states_behind(model, batch.inputs, own);
    const BlockStates told = ask_teacher(batch.inputs);
    KnownStates known(model, said.last);
    const LossTerm hard = objective_->loss(known, batch, stream).front();
    const SlotBatch& labeled = batch.slots.front();
    const Tensor soft = soft_target_loss(shares_of(model, said.last, labeled),
                                         {.teacher = teacher_shares(told.last, labeled),
                                          .temperature = options_.temperature,
                                          .weights = labeled.weights});
    LossTerm both{.sum = options_.label_weight * hard.weight * hard.sum + options_.soft_weight * soft,
                  .metrics = hard.metrics};
    both.metrics.emplace_back("label_loss", hard.sum.detach());
    both.metrics.emplace_back("soft_loss", soft.detach());
    if (options_.state_weight == 0) {
      return {both};
    }
    const SlotBatch& compared = batch.slots.at(static_cast<size_t>(states_slot_));
    const Tensor apart = difference(said, told, compared);
    if (states_slot_ == 0) {
      both.sum = both.sum + options_.state_weight * apart;
      both.metrics.emplace_back("states_loss", apart.detach());
      return {both};
    }
    return {both, {.slot = states_slot_, .sum = apart, .weight = options_.state_weight}};
  }

 private:
  // What a teacher must be like.
  struct Needs {
    Architecture architecture = Architecture::encoder_only;
    int64_t width = 0, blocks = 0, length = 0;
  };

  void open_teacher() {
    teacher_ = open_();
    teacher_.name = "teacher";
    const Model& teacher = *teacher_.model;
    check(teacher.architecture() == needs_.architecture,
          "teacher: {} is of another architecture than this run's model, so it cannot read its examples",
          options_.teacher);
    check(teacher.max_length() >= needs_.length,
          "teacher: {} takes at most {} positions, but data.sequence_length is {}",
          options_.teacher,
          teacher.max_length(),
          needs_.length);
    check(options_.state_weight == 0 || teacher.width() == needs_.width,
          "teacher: {} has states of width {} and this run's model of {}, which have no cosine; set "
          "state_weight: 0",
          options_.teacher,
          teacher.width(),
          needs_.width);
    check(options_.layers.empty() || std::ssize(options_.layers) == needs_.blocks,
          "layers names {} blocks of the teacher, but this run's model has {}",
          options_.layers.size(),
          needs_.blocks);
    for (const int64_t block : options_.layers) {
      check(
          block < teacher.blocks(), "layers names block {}, but the teacher has {}", block, teacher.blocks());
    }
  }

  // Where states are compared that the first slot does not have.
  Example with_states(Example example) const {
    if (states_slot_ == 0) {
      return example;
    }
    for (int64_t sequence = 0; sequence < std::ssize(example.sequences); ++sequence) {
      Target all{.slot = states_slot_, .sequence = sequence};
      for (int64_t at = 0; at < std::ssize(example.sequences[static_cast<size_t>(sequence)].ids); ++at) {
        all.at.push_back(at);
      }
      all.labels.resize(all.at.size());
      example.targets.push_back(std::move(all));
    }
    return example;
  }

  std::vector<int64_t> own_blocks() const {
    std::vector<int64_t> all;
    for (int64_t block = 0; block < std::ssize(options_.layers); ++block) {
      all.push_back(block);
    }
    return all;
  }

  // On the device of the batch, where it stays.
  BlockStates ask_teacher(const Inputs& inputs) {
    if (teacher_.model == nullptr) {
      open_teacher();  // of a run that is asked what its loss is
    }
    if (teacher_.model->parameters().front().device() != inputs.ids.device()) {
      teacher_.model->to(inputs.ids.device());
    }
    const at::NoGradGuard no_grad;
    return states_behind(*teacher_.model, inputs, options_.layers);
  }

  // Of the labeled rows, to the tokenizer's ids: an embedding may have rows behind them.
  Projection shares_of(Model& model, const Tensor& states, const SlotBatch& labeled) const {
    Projection shares = model.project(states.index_select(0, labeled.rows));
    shares.weight = shares.weight.narrow(0, 0, ids_);
    shares.bias = shares.bias.defined() ? shares.bias.narrow(0, 0, ids_) : shares.bias;
    return shares;
  }
  Projection teacher_shares(const Tensor& states, const SlotBatch& labeled) const {
    const at::NoGradGuard no_grad;
    return shares_of(*teacher_.model, states, labeled);
  }

  // 1 - cosine, summed over positions; of several blocks their mean.
  static Tensor difference(const BlockStates& said, const BlockStates& told, const SlotBatch& compared) {
    Tensor sum;
    for (size_t i = 0; i < said.compared.size(); ++i) {
      const Tensor a = said.compared[i].index_select(0, compared.rows);
      const Tensor b = told.compared[i].index_select(0, compared.rows);
      const auto type = a.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
      Tensor each = 1 - at::cosine_similarity(a.to(type), b.to(type), 1);
      each = compared.weights.defined() ? each * compared.weights : each;
      sum = sum.defined() ? sum + each.sum() : each.sum();
    }
    return sum / static_cast<double>(said.compared.size());
  }

  DistillationOptions options_;
  Needs needs_;
  int64_t ids_;  // V
  std::shared_ptr<Objective> objective_;
  std::function<FurtherModel()> open_;
  FurtherModel teacher_{};  // no module of this one: it is neither trained nor saved
  int64_t states_slot_ = 0;
};

}  // namespace

void register_distillation(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "distillation",
      .summary = "learn from a trained model beside the labels of an objective",
      .defaults = AnyOptions(DistillationOptions{.objective = registry.nested_objective("masked_lm")}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<Distillation>(options.as<DistillationOptions>(), context);
      },
      .holds_objective = true});
}

}  // namespace lmzoo
