#include <cmath>

#include <ATen/Context.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "objectives/parts/losses.h"
#include "objectives/parts/sequence_task.h"
#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

ObjectiveContext context_of(Architecture architecture = Architecture::encoder_only) {
  ObjectiveContext context{.vocabulary = bert_vocabulary(),
                           .architecture = architecture,
                           .sequence_length = 64,
                           .width = 16,
                           .classes = {"act", "animal", "artifact"},
                           .record = {.label = true}};
  context.vocabulary.eos = 1;
  return context;
}

Shown example_of(const Objective& objective, const std::vector<int64_t>& ids, int64_t label) {
  Stream stream = stream_of(0);
  return shown(objective.example({.ids = ids, .label = label}, {}, stream));
}

Example labeled(std::vector<int64_t> ids, int64_t label) {
  return {.sequences = {{.ids = std::move(ids)}}, .targets = {{.labels = {label}}}};
}

SequenceTask& classifier_of(Objective& objective) { return dynamic_cast<SequenceTask&>(objective); }

}  // namespace

TEST_CASE("classification: the worked examples") {
  const auto bert = make_objective("classification", {}, context_of());
  const Shown marked = example_of(*bert, {4248, 2829}, 2);
  CHECK(marked.ids == std::vector<int64_t>{101, 4248, 2829, 102});
  CHECK(marked.labels == std::vector<int64_t>{2});
  CHECK((bert->form() == ObjectiveForm{.layout = Layout::in_place}));
  CHECK((bert->slots() ==
         std::vector<Slot>{{.name = "class", .level = Level::sequence, .predicts = Predicts::classes}}));
  CHECK(bert->lengths().raw == 62);
  CHECK(bert->lengths().source == 64);

  const auto plain = make_objective("classification", {{"format", "plain"}}, context_of());
  CHECK(example_of(*plain, {4248, 2829}, 0).ids == std::vector<int64_t>{4248, 2829, 1});
  CHECK(plain->lengths().raw == 63);
}

TEST_CASE("classification: each pooling takes its states, sequence by sequence") {
  at::manual_seed(1);
  const std::string pooling = GENERATE("first", "last", "mean");
  const auto objective =
      make_objective("classification", {{"pooling", pooling}, {"dense", false}}, context_of());
  objective->eval();
  TinyModel model(Architecture::encoder_only, 50);
  const std::vector<std::vector<Example>> cases{
      {labeled({5, 6, 7}, 0), labeled({8}, 1), labeled({9, 10, 11, 12, 13}, 2)},
      {labeled({5, 6, 7}, 0), labeled({8, 9, 10}, 1)}};
  for (const std::vector<Example>& examples : cases) {
    const Batch batch = batch_of(examples);
    const Tensor states = model.encode(batch.inputs);
    const Sequences& sequences = batch.inputs.sequences;
    const Tensor scores = classifier_of(*objective).scores(model, batch.inputs);
    REQUIRE(scores.sizes() == at::IntArrayRef({sequences.count(), 3}));
    const auto parameters = objective->named_parameters();
    for (int64_t i = 0; i < sequences.count(); ++i) {
      const Tensor own = states.narrow(0, sequences.start(i), sequences.length(i));
      const Tensor state = pooling == "first" ? own[0] : pooling == "last" ? own[-1] : own.mean(0);
      const Tensor expected = parameters["output.weight"].mv(state) + parameters["output.bias"];
      CHECK(at::allclose(scores[i], expected, 1e-5, 1e-6));
    }
  }
}

TEST_CASE("classification: a sequence scores the same alone and in a batch") {
  at::manual_seed(1);
  const std::string pooling = GENERATE("first", "last", "mean");
  const auto objective = make_objective("classification", {{"pooling", pooling}}, context_of());
  objective->eval();
  TinyModel model(Architecture::encoder_only, 50);
  const Tensor together =
      classifier_of(*objective).scores(model, batch_of({labeled({5, 6, 7}, 0), labeled({8}, 1)}).inputs);
  const Tensor alone = classifier_of(*objective).scores(model, batch_of({labeled({8}, 1)}).inputs);
  CHECK(at::allclose(together[1], alone[0], 1e-5, 1e-6));
}

TEST_CASE("classification: the head belongs to the objective, and its names are stable") {
  const auto names = [](const Objective& objective) { return objective.named_parameters().names(); };
  const auto dense = make_objective("classification", {}, context_of());
  CHECK(names(*dense) ==
        std::vector<std::string>{"dense.weight", "dense.bias", "output.weight", "output.bias"});
  CHECK(dense->named_parameters()["output.weight"].sizes() == at::IntArrayRef({3, 16}));
  const auto flat = make_objective("classification", {{"dense", false}}, context_of());
  CHECK(names(*flat) == std::vector<std::string>{"output.weight", "output.bias"});
}

TEST_CASE("class loss: sum and right answers, with smoothing as PyTorch defines it") {
  const Tensor scores = at::tensor({2.0, 0.0, 1.0, 0.0, 3.0, 1.0}, at::kDouble).view({2, 3});
  const Tensor labels = at::tensor({0, 2}, at::kLong);
  const Tensor log_p = scores.log_softmax(1);
  const double plain = -(log_p[0][0] + log_p[1][2]).item<double>();
  const SlotBatch targets{.labels = labels};
  const LossTerm loss = class_loss(scores, targets, 0);
  CHECK(loss.sum.item<double>() == Approx(plain).epsilon(1e-12));
  CHECK(loss.metrics.at(0).second.item<int64_t>() == 1);
  const double smooth = 0.9 * plain - 0.1 * log_p.mean(1).sum().item<double>();
  CHECK(class_loss(scores, targets, 0.1).sum.item<double>() == Approx(smooth).epsilon(1e-12));
}

TEST_CASE("class loss: each label times its weight") {
  const Tensor scores = at::tensor({2.0, 0.0, 1.0, 0.0, 3.0, 1.0}, at::kDouble).view({2, 3});
  const SlotBatch targets{.labels = at::tensor({0, 2}, at::kLong), .weights = at::tensor({0.5F, 2.0F})};
  const Tensor log_p = scores.log_softmax(1);
  const LossTerm loss = class_loss(scores, targets, 0);
  CHECK(loss.sum.item<double>() ==
        Approx(-(0.5 * log_p[0][0] + 2 * log_p[1][2]).item<double>()).epsilon(1e-12));
  CHECK(loss.metrics.at(0).second.item<double>() == 0.5);  // the first is right
}

TEST_CASE("classification: dropout only while training") {
  at::manual_seed(1);
  const auto objective = make_objective("classification", {{"dropout", 0.5}}, context_of());
  TinyModel model(Architecture::encoder_only, 50);
  const Inputs inputs = batch_of({labeled({5, 6, 7}, 0)}).inputs;
  const auto same = [&] {
    return at::equal(classifier_of(*objective).scores(model, inputs),
                     classifier_of(*objective).scores(model, inputs));
  };
  CHECK_FALSE(same());
  objective->eval();
  CHECK(same());
}

TEST_CASE("classification: what cannot work is refused") {
  ObjectiveContext one_class = context_of();
  one_class.classes = {"act"};
  CHECK_THROWS_WITH(
      make_objective("classification", {}, one_class),
      "classification needs data with at least 2 different labels, and the training data has 1");
  CHECK_THROWS_WITH(make_objective("classification", {}, context_of(Architecture::decoder_only)),
                    Contains("pooling is first") && Contains("legal are last, mean"));
  ObjectiveContext no_sep = context_of();
  no_sep.vocabulary.sep.reset();
  CHECK_THROWS_WITH(make_objective("classification", {{"format", "bert"}}, no_sep), Contains("[SEP]"));
  ObjectiveContext no_eos = context_of();
  no_eos.vocabulary.eos.reset();
  CHECK_THROWS_WITH(make_objective("classification", {{"format", "plain"}}, no_eos), Contains("eos"));
  const auto objective = make_objective("classification", {}, context_of());
  CHECK_THROWS_WITH(example_of(*objective, {5}, -1), "a sample has label -1 but there are 3 classes");
  CHECK_THROWS_AS(example_of(*objective, {5}, 3), InputError);
}

TEST_CASE("classification: a model and its head learn one batch by heart") {
  at::manual_seed(1);
  const std::string pooling = GENERATE("first", "last", "mean");
  const auto objective = make_objective(
      "classification", {{"pooling", pooling}, {"format", "plain"}, {"dropout", 0.0}}, context_of());
  const Batch batch = batch_of({example_of(*objective, {5, 6, 7}, 0),
                                example_of(*objective, {8, 9}, 1),
                                example_of(*objective, {10, 11, 12, 13}, 2)});
  TinyModel model(Architecture::encoder_only, 50);
  const Overfit result = overfit(*objective, model, batch);
  CHECK(result.first == Approx(std::log(3)).margin(0.1));
  CHECK(result.last < 0.1 * result.first);
  CHECK(result.accuracy == 1);
}
