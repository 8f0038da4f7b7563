#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/Context.h>

#include "core/parameters.h"
#include "objectives/parts/noise.h"
#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

// [CLS] the quick brown fox jumps over the lazy dog [SEP], in the ids of bert-base-uncased.
const std::vector<int64_t> fox{1996, 4248, 2829, 4419, 14523, 2058, 1996, 13971, 3899};
const std::vector<int64_t> fox_complete{101, 1996, 4248, 2829, 4419, 14523, 2058, 1996, 13971, 3899, 102};

Shown masked_example(const Objective& objective,
                     const std::vector<int64_t>& ids,
                     uint64_t sample,
                     uint64_t seed = 1) {
  Stream stream = stream_of(sample, seed);
  return shown(objective.example({.ids = ids}, {}, stream));
}

// The text that an example was made of.
std::vector<int64_t> original(const Shown& example) {
  std::vector<int64_t> ids = example.ids;
  for (size_t i = 0; i < example.positions.size(); ++i) {
    ids[example.positions[i]] = example.labels[i];
  }
  return ids;
}

}  // namespace

TEST_CASE("masked_lm: the worked example, with everything masked that is chosen") {
  const auto objective =
      make_objective("masked_lm", {{"mask_share", 1.0}, {"random_share", 0.0}}, bert_context());
  const Shown example = masked_example(*objective, fox, 1);
  REQUIRE(example.positions.size() == 2);  // round(11 · 0.15) = 2
  std::vector<int64_t> expected = fox_complete;
  for (const int64_t position : example.positions) {
    expected[position] = 103;
  }
  CHECK(example.ids == expected);
  CHECK(original(example) == fox_complete);
}

TEST_CASE("masked_lm: only labeled positions change, and every label is the original id") {
  const std::string dialect = GENERATE("bert", "hf");
  const auto objective = make_objective("masked_lm", {{"dialect", dialect}}, bert_context());
  for (int64_t length = 1; length <= 2000; length += length < 80 ? 1 : 83) {
    const std::vector<int64_t> ids = ids_between(1000, 30522, length, length);
    const Shown example = masked_example(*objective, ids, length);
    std::vector<int64_t> complete{101};
    complete.insert(complete.end(), ids.begin(), ids.end());
    complete.push_back(102);
    REQUIRE(original(example) == complete);
    REQUIRE(std::is_sorted(example.positions.begin(), example.positions.end(), std::less_equal<>()));
    REQUIRE(example.positions.size() == example.labels.size());
    REQUIRE(std::all_of(
        example.ids.begin(), example.ids.end(), [](int64_t id) { return id >= 0 && id < 30522; }));
  }
}

TEST_CASE("masked_lm bert: the number of predictions is exact") {
  const auto plain = make_objective("masked_lm", {}, bert_context());
  const auto limited = make_objective("masked_lm", {{"max_predictions", int64_t{20}}}, bert_context());
  for (int64_t length = 1; length <= 300; ++length) {
    const std::vector<int64_t> ids = ids_between(1000, 2000, length, 1);
    const int64_t wanted = std::max<int64_t>(1, round_half_even(0.15 * static_cast<double>(length + 2)));
    REQUIRE(std::ssize(masked_example(*plain, ids, length).positions) == wanted);
    REQUIRE(std::ssize(masked_example(*limited, ids, length).positions) == std::min<int64_t>(20, wanted));
  }
  // 28 ids and two special ones: 4.5 is 4.
  CHECK(masked_example(*plain, ids_between(1000, 2000, 28, 1), 0).positions.size() == 4);
}

TEST_CASE("masked_lm bert: a rate that asks for more than there is takes all but [CLS] and [SEP]") {
  const auto objective = make_objective("masked_lm", {{"rate", 0.99}}, bert_context());
  const Shown example = masked_example(*objective, fox, 1);
  CHECK(example.labels == fox);
}

TEST_CASE("masked_lm: special ids inside a text are never chosen by hf; bert spares only [CLS] and [SEP]") {
  const std::vector<int64_t> ids{103, 101, 7592, 102, 0};
  const auto hf = make_objective("masked_lm", {{"dialect", "hf"}, {"rate", 0.999999}}, bert_context());
  CHECK(masked_example(*hf, ids, 1).labels == std::vector<int64_t>{7592});
  const auto bert = make_objective("masked_lm", {{"rate", 0.999999}}, bert_context());
  CHECK(masked_example(*bert, ids, 1).labels == std::vector<int64_t>{103, 7592, 0});
}

TEST_CASE("masked_lm hf: each token with the rate, so a short text may have no label") {
  const auto objective = make_objective("masked_lm", {{"dialect", "hf"}}, bert_context());
  int64_t chosen = 0;
  int64_t none = 0;
  for (uint64_t sample = 0; sample < 10'000; ++sample) {
    const Shown example = masked_example(*objective, std::vector<int64_t>(100, 7592), sample);
    chosen += std::ssize(example.positions);
    none += masked_example(*objective, {7592}, sample).positions.empty() ? 1 : 0;
  }
  CHECK(std::abs(static_cast<double>(chosen) - 150'000) < five_sigma(1e6, 0.15));
  CHECK(std::abs(static_cast<double>(none) - 8'500) < five_sigma(1e4, 0.85));
}

TEST_CASE("masked_lm bert: over a million tokens positions are uniform and shares are 80, 10 and 10 %") {
  const auto objective = make_objective("masked_lm", {}, bert_context());
  std::vector<int64_t> at(98, 0);
  int64_t masked = 0;
  int64_t same = 0;
  for (uint64_t sample = 0; sample < 10'204; ++sample) {
    const Shown example = masked_example(*objective, std::vector<int64_t>(98, 7592), sample);
    for (const int64_t position : example.positions) {
      ++at.at(position - 1);
      masked += example.ids[position] == 103 ? 1 : 0;
      same += example.ids[position] == 7592 ? 1 : 0;
    }
  }
  const auto all = static_cast<double>(std::accumulate(at.begin(), at.end(), int64_t{0}));
  CHECK(all == 15 * 10'204);
  // A random id is the mask, or the token itself, once in 30,522.
  CHECK(std::abs(static_cast<double>(masked) - all * (0.8 + 0.1 / 30522)) < five_sigma(all, 0.8));
  CHECK(std::abs(static_cast<double>(same) - all * (0.1 + 0.1 / 30522)) < five_sigma(all, 0.1));
  CHECK(chi_squared(at, std::vector<double>(98, 1.0 / 98)) < chi_squared_limit(97));
}

TEST_CASE("masked_lm: the same stream gives the same example, another epoch or sample another") {
  const std::string dialect = GENERATE("bert", "hf");
  const auto objective = make_objective("masked_lm", {{"dialect", dialect}}, bert_context());
  const std::vector<int64_t> ids = ids_between(1000, 30522, 126, 4);
  const Shown first = masked_example(*objective, ids, 9);
  const Shown again = masked_example(*objective, ids, 9);
  CHECK(first.ids == again.ids);
  CHECK(first.positions == again.positions);
  CHECK(first.positions != masked_example(*objective, ids, 10).positions);
  CHECK(first.positions != masked_example(*objective, ids, 9, 2).positions);
}

TEST_CASE("masked_lm: a full window with its special ids is sequence_length long") {
  const auto objective = make_objective("masked_lm", {}, bert_context(128));
  CHECK((objective->form() == ObjectiveForm{.layout = Layout::in_place, .needs_both_sides = true}));
  CHECK(objective->lengths().raw == 126);
  CHECK(objective->lengths().source == 128);
  CHECK(masked_example(*objective, ids_between(1000, 2000, 126, 1), 1).ids.size() == 128);
}

TEST_CASE("masked_lm: what cannot work is refused at construction") {
  const auto make = [](const Settings& settings, const ObjectiveContext& context) {
    return [settings, context] { make_objective("masked_lm", settings, context); };
  };
  ObjectiveContext no_mask = bert_context();
  no_mask.vocabulary.mask.reset();
  ObjectiveContext no_cls = bert_context();
  no_cls.vocabulary.cls.reset();
  CHECK_THROWS_WITH(make({}, no_mask)(), "masked_lm needs a tokenizer with [MASK], and this one has none");
  CHECK_THROWS_WITH(make({}, no_cls)(), Contains("[CLS]"));
  CHECK_THROWS_WITH(make({}, bert_context(2))(), "data.sequence_length is 2 but masked_lm needs at least 3");
  CHECK_THROWS_WITH(make({{"mask_share", 0.9}, {"random_share", 0.2}}, bert_context())(),
                    "mask_share + random_share is 1.1 but must be at most 1");
  CHECK_THROWS_WITH(make({{"dialect", "hf"}, {"max_predictions", int64_t{20}}}, bert_context())(),
                    Contains("max_predictions belongs to the dialects bert"));
  CHECK_THROWS_AS(make({}, no_mask)(), InputError);
}

TEST_CASE("masked_lm: a model learns one batch by heart") {
  at::manual_seed(1);
  ObjectiveContext context = bert_context();
  context.vocabulary = {
      .size = 40, .pad = 0, .unk = 1, .bos = {}, .eos = {}, .cls = 2, .sep = 3, .mask = 4, .sentinels = {}};
  const auto objective = make_objective("masked_lm", {}, context);
  const Batch batch = batch_of({masked_example(*objective, ids_between(10, 40, 20, 1), 1),
                                masked_example(*objective, ids_between(10, 40, 30, 2), 2)});
  TinyModel model(Architecture::encoder_only, 40);
  const Overfit result = overfit(*objective, model, batch);
  CHECK(result.last < 0.1 * result.first);
  CHECK(result.accuracy == 1);
}

TEST_CASE("masked_lm: a batch without labels has loss 0, count 0 and no NaN") {
  const auto objective = make_objective("masked_lm", {}, bert_context());
  TinyModel model(Architecture::encoder_only, 30522, 4);
  const Batch batch = batch_of({in_place({101, 7592, 102}, {}, {})});
  Stream stream({});
  const LossTerm loss = objective->loss(model, batch, stream).at(0);
  CHECK(batch.slots[0].count() == 0);
  CHECK(loss.sum.item<double>() == 0);
  CHECK(loss.metrics.at(0).first == "correct");
  CHECK(loss.metrics.at(0).second.item<int64_t>() == 0);
  CHECK_NOTHROW(loss.sum.backward());
}

TEST_CASE(
    "masked_lm adaptive: an id that is predicted well is masked less, in the proportion of the weights") {
  ObjectiveContext context = bert_context();
  context.vocabulary = {
      .size = 40, .pad = 0, .unk = 1, .bos = {}, .eos = {}, .cls = 2, .sep = 3, .mask = 4, .sentinels = {}};
  const Settings settings{
      {"adaptive", true}, {"dialect", "hf"}, {"keep", 0.25}, {"least", 0.05}, {"rate", 0.2}};
  const auto objective = make_objective("masked_lm", settings, context);
  REQUIRE(objective->adapts());
  TinyModel model(Architecture::encoder_only, 40);
  // Id 10 is predicted right 3 times of 3, id 11 never of 2: rows whose largest logit is of id 10.
  {
    const at::NoGradGuard no_grad;
    for (const NamedTensor& weight : weights(model, *objective)) {
      Tensor tensor = weight.tensor;
      if (weight.name == "model.bias") {
        tensor[10] = 100;
      }
    }
  }
  const Batch batch = batch_of({in_place({2, 4, 4, 4, 4, 4, 3}, {1, 2, 3, 4, 5}, {10, 11, 10, 11, 10})});
  Stream stream({});
  const double loss = objective->loss(model, batch, stream).at(0).sum.item<double>();
  objective->eval();
  CHECK(objective->loss(model, batch, stream).at(0).sum.item<double>() == loss);  // nothing is noted
  const auto buffer = [&](const std::string& name) { return objective->named_buffers()[name]; };
  CHECK(buffer("ids.seen").sum().item<int64_t>() == 5);
  CHECK(buffer("ids.right")[10].item<int64_t>() == 3);
  CHECK(buffer("ids.weights")[10].item<float>() == 1);  // until an evaluation
  objective->adapt();
  // By hand: accuracies 3.5/4, 0.5/3 and, of the 38 others, 1/2.
  const double well = 0.25 + 0.75 * (1 - 3.5 / 4), badly = 0.25 + 0.75 * (1 - 0.5 / 3),
               other = 0.25 + 0.75 * 0.5;
  const double mean = (well + badly + 38 * other) / 40;
  CHECK(buffer("ids.weights")[10].item<double>() == Approx(well / mean));
  CHECK(buffer("ids.weights")[11].item<double>() == Approx(badly / mean));
  CHECK(buffer("ids.weights")[20].item<double>() == Approx(other / mean));
  CHECK(buffer("ids.seen").sum().item<int64_t>() == 0);
  std::vector<int64_t> text;
  for (int64_t i = 0; i < 99; ++i) {
    text.push_back(i % 3 == 0 ? 10 : i % 3 == 1 ? 11 : 20);
  }
  std::vector<int64_t> masked(3, 0);
  for (uint64_t sample = 0; sample < 10'000; ++sample) {
    for (const int64_t label : masked_example(*objective, text, sample).labels) {
      ++masked[label == 10 ? 0 : label == 11 ? 1 : 2];
    }
  }
  const double sum = well + badly + other;
  const auto near = [&](int64_t count, double weight) {
    const double share = 0.2 * 3 * weight / sum;
    CHECK(std::abs(static_cast<double>(count) - 330'000 * share) < five_sigma(330'000, share));
  };
  near(masked[0], well);
  near(masked[1], badly);
  near(masked[2], other);
  // In evaluation all ids are alike.
  Stream again = stream_of(1);
  const Shown even = shown(objective->example({.ids = text}, {.evaluates = true}, again));
  CHECK(
      even.ids ==
      masked_example(*make_objective("masked_lm", {{"dialect", "hf"}, {"rate", 0.2}}, context), text, 1).ids);
}

TEST_CASE("masked_lm adaptive: weights have a floor, and what a checkpoint holds is what examples follow") {
  ObjectiveContext context = bert_context();
  context.vocabulary.size = 200;
  const Settings settings{{"adaptive", true}, {"dialect", "hf"}, {"least", 0.3}, {"keep", 0.0}};
  const auto one = make_objective("masked_lm", settings, context),
             other = make_objective("masked_lm", settings, context);
  const at::NoGradGuard no_grad;
  Tensor right = one->named_buffers()["ids.right"], seen = one->named_buffers()["ids.seen"];
  right.narrow(0, 110, 50).fill_(1000);
  seen.fill_(1000);
  one->adapt();
  const Tensor weights = one->named_buffers()["ids.weights"];
  CHECK((weights.max() / weights.min()).item<double>() == Approx((1 - 0.5 / 1001) / 0.3));
  const std::vector<int64_t> text = ids_between(104, 200, 90, 1);
  CHECK(masked_example(*one, text, 3).ids != masked_example(*other, text, 3).ids);
  for (const auto& item : one->named_buffers()) {
    Tensor copy = other->named_buffers()[item.name];
    copy.copy_(item.value);
  }
  other->follow();
  for (uint64_t sample = 0; sample < 50; ++sample) {
    CHECK(masked_example(*one, text, sample).ids == masked_example(*other, text, sample).ids);
  }
}

TEST_CASE("masked_lm adaptive: other dialects and architectures are refused") {
  const auto make = [](const Settings& settings, Architecture architecture) {
    ObjectiveContext context = bert_context();
    context.architecture = architecture;
    return make_objective("masked_lm", settings, context);
  };
  CHECK_THROWS_WITH(make({{"adaptive", true}}, Architecture::encoder_only),
                    Contains("it goes with dialect hf"));
  CHECK_THROWS_WITH(make({{"adaptive", true}, {"dialect", "hf"}}, Architecture::encoder_decoder),
                    Contains("it needs an encoder-only model"));
  CHECK_FALSE(make({}, Architecture::encoder_only)->adapts());
}
