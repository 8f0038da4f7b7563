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
