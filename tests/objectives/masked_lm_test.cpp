#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/Context.h>

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
