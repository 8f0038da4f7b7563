// An objective with a second loss on the same input (next-sentence beside masked LM is of this kind), through collate
// and the step: each term is divided by its own count, however the micro-batches cut it.
#include <ATen/Context.h>

#include "data/batches/collate.h"
#include "nn/linear.h"
#include "objectives/parts/heads.h"
#include "objectives/parts/losses.h"
#include "support/catch.h"
#include "train/fakes.h"
#include "train/loop/evaluate.h"
#include "train/loop/step.h"
#include "train/rules.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

constexpr double kWeight = 0.5;

class TwoLosses final : public Objective {
 public:
  TwoLosses() : head_(register_module("head", new_head_map(kWidth, 2))) {}

  ObjectiveForm form() const override { return {.layout = Layout::in_place, .needs_both_sides = true}; }
  std::vector<Slot> slots() const override {
    return {{.name = "labels"}, {.name = "order", .level = Level::sequence, .predicts = Predicts::classes}};
  }
  ObjectiveLengths lengths() const override { return {.raw = 8, .source = 8}; }

  // Every third id is to be told, and for texts of even length whether the first id is smaller than the last.
  Example example(const Sample& sample, const TrainingPlace&, Stream&) const override {
    Target told, order{.slot = 1};
    for (int64_t i = 0; i < std::ssize(sample.ids); i += 3) {
      told.at.push_back(i);
      told.labels.push_back((sample.ids[static_cast<size_t>(i)] * 3 + 1) % kVocab);
    }
    Example made{.layout = Layout::in_place, .sequences = {{.ids = sample.ids}}, .targets = {told}};
    if (sample.ids.size() % 2 == 0) {
      order.labels = {sample.ids.front() < sample.ids.back() ? 1 : 0};
      made.targets.push_back(order);
    }
    return made;
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    const Tensor states = model.hidden(batch.inputs);  // [N, D]
    const SlotBatch& told = batch.slots[0];
    const CrossEntropy entropy =
        linear_cross_entropy(model.project(states.index_select(0, told.rows)), told.labels);
    const Tensor firsts = first_rows(batch.inputs.sequences).rows.index_select(0, batch.slots[1].rows);
    LossTerm order = class_loss(head_->forward(states.index_select(0, firsts)), batch.slots[1], 0);
    order.slot = 1;
    order.weight = kWeight;
    return {{.slot = 0, .sum = entropy.sum, .metrics = {{"correct", entropy.correct}}}, order};
  }

 private:
  std::shared_ptr<Linear> head_;
};

Batch batch_of(const TwoLosses& objective, const std::vector<Sample>& samples) {
  std::vector<Example> examples;
  for (const Sample& sample : samples) {
    Stream stream({});
    examples.push_back(objective.example(sample, {}, stream));
  }
  return collate(examples, {Architecture::encoder_only, Vocabulary{}, objective.slots()});
}

// Texts of 3 to 8 ids.
std::vector<Sample> samples() {
  std::vector<Sample> made;
  for (int64_t i = 0; i < 8; ++i) {
    Sample& sample = made.emplace_back();
    for (int64_t t = 0; t < 3 + i % 6; ++t) {
      sample.ids.push_back((7 * i + 5 * t) % kVocab);
    }
  }
  return made;
}

struct Parts2 {
  std::shared_ptr<TinyModel> model;
  std::shared_ptr<TwoLosses> objective;
};
Parts2 parts() {
  at::manual_seed(3);
  return {std::make_shared<TinyModel>(0.0), std::make_shared<TwoLosses>()};
}

// Loss and norm of a step over the samples in so many parts.
std::pair<double, double> step_in(size_t cuts) {
  const Parts2 made = parts();
  const auto optimizer =
      make_rule("adamw", {.parameters = trainable(*made.model, *made.objective), .clip_norm = 1});
  const std::vector<Sample> all = samples();
  std::vector<Batch> micro_batches;
  for (size_t i = 0; i < cuts; ++i) {
    const size_t size = all.size() / cuts;
    micro_batches.push_back(
        batch_of(*made.objective, {all.begin() + i * size, all.begin() + (i + 1) * size}));
  }
  const StepOutcome outcome = train_step(
      {.model = *made.model, .objective = *made.objective, .optimizer = *optimizer}, micro_batches, 1, 1e-3);
  return {outcome.values[0].item<double>() / outcome.work.total, outcome.values[1].item<double>()};
}

}  // namespace

TEST_CASE("two losses on one input are the sum of their means, however a step is cut") {
  const Parts2 made = parts();
  const Batch batch = batch_of(*made.objective, samples());
  REQUIRE(batch.slots[1].count() == 4);  // the texts of even length
  Stream stream({});
  const Losses losses = made.objective->loss(*made.model, batch, stream);
  const double expected = losses[0].sum.item<double>() / static_cast<double>(batch.slots[0].count()) +
                          kWeight * losses[1].sum.item<double>() / 4;
  CHECK(mean_loss(losses, batch).item<double>() == Approx(expected).epsilon(1e-6));
  const auto [whole, norm] = step_in(1);
  CHECK(whole == Approx(expected).epsilon(1e-6));
  for (const size_t cuts : {2, 4, 8}) {  // in eight parts, half of them have no order
    const auto [loss, own_norm] = step_in(cuts);
    CHECK(loss == Approx(whole).epsilon(1e-6));
    CHECK(own_norm == Approx(norm).epsilon(1e-5));
  }
}

TEST_CASE("an evaluation tells the second loss by the name of its slot") {
  const Parts2 made = parts();
  const std::vector<Sample> all = samples();
  const Batch whole = batch_of(*made.objective, all);
  EvalSet set;
  set.open = [&]() -> BatchPass {
    auto next = std::make_shared<size_t>(0);
    return [&, next]() -> std::optional<Batch> {
      return *next == all.size() ? std::nullopt : std::optional(batch_of(*made.objective, {all[(*next)++]}));
    };
  };
  const auto result = evaluate(*made.model, *made.objective, set, {});
  made.model->eval();
  Stream stream({});
  const at::NoGradGuard no_grad;
  const Losses losses = made.objective->loss(*made.model, whole, stream);
  CHECK(result->loss() == Approx(mean_loss(losses, whole).item<double>()).epsilon(1e-6));
  CHECK(*result->mean("order_loss") == Approx(losses[1].sum.item<double>() / 4).epsilon(1e-6));
  CHECK(*result->mean("order_accuracy") ==
        Approx(losses[1].metrics[0].second.item<double>() / 4).epsilon(1e-6));
  CHECK(result->labels == whole.slots[0].count());
}
