#include <ATen/Context.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/tensor.h>

#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// GPT-2 has one special id for both ends.
ObjectiveContext gpt_context(int64_t sequence_length = 1024) {
  return {.vocabulary = {.size = 50257,
                         .pad = {},
                         .unk = {},
                         .bos = 50256,
                         .eos = 50256,
                         .cls = {},
                         .sep = {},
                         .mask = {},
                         .sentinels = {}},
          .architecture = Architecture::decoder_only,
          .sequence_length = sequence_length,
          .width = 16,
          .classes = {}};
}

std::vector<int64_t> ids_of(const Objective& objective, const std::vector<int64_t>& ids) {
  Stream stream = stream_of(0);
  return stream_text(objective.example({.ids = ids}, {}, stream));
}

}  // namespace

TEST_CASE("causal_lm: the worked example; special ids only where they are asked for") {
  const std::vector<int64_t> hello{15496, 995};
  using Ids = std::vector<int64_t>;
  CHECK(ids_of(*make_objective("causal_lm", {}, gpt_context()), hello) == hello);
  CHECK(ids_of(*make_objective("causal_lm", {{"add_eos", true}}, gpt_context()), hello) ==
        Ids{15496, 995, 50256});
  CHECK(ids_of(*make_objective("causal_lm", {{"add_bos", true}}, gpt_context()), hello) ==
        Ids{50256, 15496, 995});
  const Batch batch = batch_of({next_tokens({15496, 995, 50256})});
  CHECK(at::equal(batch.inputs.ids, at::tensor({15496, 995}, at::kLong)));
  CHECK(at::equal(batch.slots[0].labels, at::tensor({995, 50256}, at::kLong)));
}

TEST_CASE("causal_lm: a full window is read at sequence_length positions") {
  const bool add_bos = GENERATE(false, true);
  const bool add_eos = GENERATE(false, true);
  const auto objective =
      make_objective("causal_lm", {{"add_bos", add_bos}, {"add_eos", add_eos}}, gpt_context(64));
  CHECK(objective->form().layout == Layout::stream);
  CHECK(objective->lengths().source == 64);
  const std::vector<int64_t> ids = ids_of(*objective, ids_between(0, 50256, objective->lengths().raw, 1));
  CHECK(batch_of({next_tokens(ids)}).inputs.ids.size(0) == 64);
}

TEST_CASE("causal_lm: what cannot work is refused at construction") {
  ObjectiveContext context = gpt_context();
  context.vocabulary.eos.reset();
  context.vocabulary.bos.reset();
  CHECK_NOTHROW(make_objective("causal_lm", {}, context));
  CHECK_THROWS_WITH(make_objective("causal_lm", {{"add_eos", true}}, context),
                    "causal_lm with add_eos needs a tokenizer with eos, and this one has none");
  CHECK_THROWS_AS(make_objective("causal_lm", {{"add_bos", true}}, context), InputError);
  CHECK_THROWS_WITH(make_objective("causal_lm", {}, gpt_context(1)),
                    "data.sequence_length is 1 but causal_lm needs at least 2");
}

TEST_CASE("causal_lm: a model learns one batch by heart") {
  at::manual_seed(1);
  const auto objective = make_objective("causal_lm", {}, gpt_context(32));
  // Apart, for this model sees no context: one id at one position can have one successor only.
  const Batch batch =
      batch_of({next_tokens(ids_between(0, 25, 20, 1)), next_tokens(ids_between(25, 50, 30, 2))});
  TinyModel model(Architecture::decoder_only, 50);
  const Overfit result = overfit(*objective, model, batch);
  CHECK(result.last < 0.1 * result.first);
  CHECK(result.accuracy == 1);
}

TEST_CASE("causal_lm: smoothing in both conventions and z-loss, in training only") {
  at::manual_seed(1);
  constexpr double kSmoothing = 0.1;
  constexpr int64_t kClasses = 50;
  TinyModel model(Architecture::decoder_only, kClasses);
  const Batch batch = batch_of({next_tokens(ids_between(0, kClasses, 20, 1))});
  const Tensor logits = model.logits(model.hidden(batch.inputs));
  const Tensor likely = at::log_softmax(logits, -1);
  const Tensor label = likely.gather(1, batch.slots[0].labels.unsqueeze(1)).squeeze(1);
  const double right = -label.sum().item<double>();
  const double all = -likely.sum().item<double>();
  const double log_sums = at::logsumexp(logits, -1).square().sum().item<double>();
  const auto loss_of = [&](const Settings& settings, bool trains) {
    const auto objective = make_objective("causal_lm", settings, gpt_context(32));
    objective->train(trains);
    Stream stream({});
    return objective->loss(model, batch, stream).at(0).sum.item<double>();
  };
  const Settings pytorch{{"label_smoothing", kSmoothing}};
  const Settings fairseq{{"label_smoothing", kSmoothing}, {"smoothing_rule", "fairseq"}};
  // PyTorch: e/V on every class. fairseq: 1 - e on the label, e/(V-1) on each of the others.
  CHECK(loss_of(pytorch, true) ==
        Approx((1 - kSmoothing) * right + kSmoothing / kClasses * all).epsilon(1e-5));
  CHECK(loss_of(fairseq, true) ==
        Approx((1 - kSmoothing) * right + kSmoothing / (kClasses - 1) * (all - right)).epsilon(1e-5));
  CHECK(loss_of({{"z_loss", 0.01}}, true) == Approx(right + 0.01 * log_sums).epsilon(1e-5));
  CHECK(loss_of({}, true) == Approx(right).epsilon(1e-5));
  for (const Settings& settings : {pytorch, fairseq, Settings{{"z_loss", 0.01}}}) {
    CHECK(loss_of(settings, false) == loss_of({}, true));
  }
}

namespace {

ObjectiveContext small_context() {
  ObjectiveContext context = gpt_context(32);
  context.vocabulary = {.size = 50,
                        .pad = {},
                        .unk = {},
                        .bos = 0,
                        .eos = 1,
                        .cls = {},
                        .sep = {},
                        .mask = {},
                        .sentinels = {}};
  return context;
}

std::shared_ptr<Objective> three_ahead(double weight = 1) {
  return make_objective(
      "causal_lm", {{"ahead", true}, {"tokens", int64_t{3}}, {"weight", weight}}, small_context());
}

Batch batch_ahead(const Objective& objective, const std::vector<std::vector<int64_t>>& texts) {
  std::vector<Example> examples;
  for (const std::vector<int64_t>& text : texts) {
    Stream stream = stream_of(0);
    examples.push_back(objective.example({.ids = text}, {}, stream));
  }
  return batch_of(examples, objective.slots());
}

}  // namespace

TEST_CASE("causal_lm ahead: the worked example, and texts that are too short for a head") {
  const auto objective = three_ahead();
  REQUIRE(objective->slots().size() == 3);
  CHECK(objective->slots()[2].name == "token_3");
  using Ids = std::vector<int64_t>;
  const auto targets_of = [&](const Ids& ids) {
    Stream stream = stream_of(0);
    return objective->example({.ids = ids}, {}, stream).targets;
  };
  const std::vector<Target> four = targets_of({7, 8, 9, 10});
  REQUIRE(four.size() == 3);
  CHECK(four[0].labels == Ids{8, 9, 10});
  CHECK(four[1].slot == 1);
  CHECK(four[1].at == Ids{0, 1});
  CHECK(four[1].labels == Ids{9, 10});
  CHECK(four[2].at == Ids{0});
  CHECK(four[2].labels == Ids{10});
  CHECK(targets_of({7, 8}).size() == 1);
  CHECK(targets_of({7}).size() == 1);
  // What is given is not predicted by any head.
  ObjectiveContext context = small_context();
  context.record.target = true;
  const auto completes = make_objective(
      "causal_lm", {{"ahead", true}, {"tokens", int64_t{2}}, {"completion_only", true}}, context);
  Stream stream = stream_of(0);
  const Example made = completes->example({.ids = {7, 8, 9}, .target = {10, 11, 12}}, {}, stream);
  CHECK(made.targets.at(1).at == Ids{2, 3});
  CHECK(made.targets.at(1).labels == Ids{11, 12});
}

TEST_CASE("causal_lm ahead: in evaluation the loss is that of the first token alone") {
  at::manual_seed(1);
  const auto objective = three_ahead(0.5);
  CHECK(objective->only_trains());
  CHECK_FALSE(make_objective("causal_lm", {}, small_context())->only_trains());
  const Batch batch = batch_ahead(*objective, {ids_between(2, 50, 20, 1), ids_between(2, 50, 9, 2), {5, 6}});
  TinyModel model(Architecture::decoder_only, 50);
  Stream stream({});
  const Losses learned = objective->loss(model, batch, stream);
  REQUIRE(learned.size() == 3);
  double sum = 0;
  for (const LossTerm& term : learned) {
    CHECK(term.weight == (term.slot == 0 ? 1 : 0.5));
    sum += term.weight * term.sum.item<double>() / batch.slots[static_cast<size_t>(term.slot)].total;
  }
  CHECK(mean_loss(learned, batch).item<double>() == Approx(sum));
  CHECK(batch.slots[0].count() == 19 + 8 + 1);
  CHECK(batch.slots[2].count() == 17 + 6);
  objective->eval();
  const auto alone = make_objective("causal_lm", {}, small_context());
  const Losses first = alone->loss(model, batch, stream);
  CHECK(mean_loss(objective->loss(model, batch, stream), batch).item<double>() ==
        Approx(first.at(0).sum.item<double>() / batch.slots[0].total));
}

TEST_CASE("causal_lm ahead: heads see no later token, and none of another text") {
  at::manual_seed(2);
  const auto objective = three_ahead();
  TinyModel model(Architecture::decoder_only, 50);
  std::vector<int64_t> text = ids_between(2, 50, 12, 1);
  // Only the first four positions are predicted.
  const auto losses_of = [&](const std::vector<std::vector<int64_t>>& texts) {
    Batch batch = batch_ahead(*objective, texts);
    std::vector<double> sums;
    for (SlotBatch& slot : batch.slots) {
      slot.rows = slot.rows.narrow(0, 0, 4);
      slot.labels = slot.labels.narrow(0, 0, 4);
    }
    Stream stream({});
    for (const LossTerm& term : objective->loss(model, batch, stream)) {
      sums.push_back(term.sum.item<double>());
    }
    return sums;
  };
  const std::vector<double> before = losses_of({text, ids_between(2, 50, 12, 2)});
  text[7] = text[7] == 5 ? 6 : 5;
  const std::vector<double> after = losses_of({text, ids_between(2, 50, 12, 3)});
  REQUIRE(before.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(before[i] == Approx(after[i]).epsilon(1e-6));
  }
}

TEST_CASE("causal_lm ahead: every head learns one batch by heart") {
  at::manual_seed(1);
  const auto objective = three_ahead();
  // Apart, for the first head sees no context here.
  const Batch batch = batch_ahead(*objective, {ids_between(2, 25, 20, 1), ids_between(25, 50, 24, 2)});
  TinyModel model(Architecture::decoder_only, 50);
  const Overfit result = overfit(*objective, model, batch, 400);
  CHECK(result.last < 0.1 * result.first);
  Stream stream({});
  for (const LossTerm& term : objective->loss(model, batch, stream)) {
    CHECK(term.metrics.at(0).second.item<double>() / batch.slots[static_cast<size_t>(term.slot)].total >
          0.95);
  }
}

TEST_CASE("causal_lm ahead: heads of attention that do not divide the width are refused") {
  CHECK_THROWS_AS(make_objective("causal_lm", {{"ahead", true}, {"heads", int64_t{3}}}, small_context()),
                  InputError);
}
