#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/Context.h>

#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

using Many = std::vector<int64_t>;

ObjectiveContext next_context(Architecture architecture = Architecture::decoder_only) {
  return {.vocabulary = bert_vocabulary(),
          .architecture = architecture,
          .sequence_length = 64,
          .width = 16,
          .classes = {}};
}

Example next_example(const Objective& objective, const Many& ids, uint64_t sample) {
  Stream stream = stream_of(sample);
  return objective.example({.ids = ids}, {}, stream);
}

}  // namespace

TEST_CASE(
    "masked_next_token: a hidden token is predicted at the position before it, and the last is never read") {
  const auto objective =
      make_objective("masked_next_token",
                     {{"dialect", "hf"}, {"rate", 0.5}, {"mask_share", 1.0}, {"random_share", 0.0}},
                     next_context());
  const Many text = ids_between(1000, 2000, 12, 1);
  size_t last_labels = 0;
  for (uint64_t sample = 0; sample < 50; ++sample) {
    const Example example = next_example(*objective, text, sample);
    CHECK(example.layout == Layout::in_place);
    CHECK(example.sees_both_sides);
    Many read{101};  // as if nothing were hidden
    read.insert(read.end(), text.begin(), text.end() - 1);
    const Target& target = example.targets.front();
    for (size_t i = 0; i < target.at.size(); ++i) {
      CHECK(target.labels[i] == text[target.at[i]]);
      if (target.at[i] < 11) {
        read[target.at[i] + 1] = 103;
      } else {
        ++last_labels;
      }
    }
    CHECK(example.sequences.front().ids == read);
  }
  CHECK(last_labels > 0);
  CHECK(objective->slots().size() == 1);
  CHECK(objective->begins_with() == 101);
  CHECK(objective->lengths().raw == 64);
  CHECK(next_example(*objective, Many(64, 1000), 1).sequences.front().ids.size() == 64);
}

TEST_CASE("masked_next_token: a share of the samples predicts every next token with causal attention") {
  const auto objective = make_objective("masked_next_token", {{"causal_share", 0.3}}, next_context());
  const Many text{7, 8, 9, 10};
  int64_t causal = 0;
  for (uint64_t sample = 0; sample < 10'000; ++sample) {
    const Example example = next_example(*objective, text, sample);
    if (!example.sees_both_sides) {
      ++causal;
      REQUIRE(example.sequences.front().ids == Many{101, 7, 8, 9});
      REQUIRE(example.targets.front().slot == 1);
      REQUIRE(example.targets.front().labels == text);
      REQUIRE(example.targets.front().at == Many{0, 1, 2, 3});
    } else {
      REQUIRE(example.targets.front().slot == 0);
      REQUIRE(example.targets.front().at.size() == 1);  // max(1, round(4 · 0.15))
    }
  }
  CHECK(std::abs(static_cast<double>(causal) - 3000) < five_sigma(1e4, 0.3));
}

TEST_CASE("masked_next_token: both kinds stand in one batch, each with its slot and its weight") {
  at::manual_seed(1);
  ObjectiveContext context = next_context();
  context.vocabulary = {
      .size = 40, .pad = 0, .unk = 1, .bos = {}, .eos = {}, .cls = 2, .sep = 3, .mask = 4, .sentinels = {}};
  const auto objective =
      make_objective("masked_next_token", {{"causal_share", 0.25}, {"rate", 0.5}}, context);
  std::vector<Example> examples;
  for (uint64_t sample = 0; sample < 12; ++sample) {
    examples.push_back(next_example(*objective, ids_between(10, 40, 8, sample), sample));
  }
  const Batch batch = batch_of(examples, objective->slots());
  REQUIRE(batch.slots.size() == 2);
  CHECK(batch.slots[0].count() == 4 * std::ranges::count_if(examples, &Example::sees_both_sides));
  TinyModel model(Architecture::decoder_only, 40);
  Stream stream({});
  const Losses losses = objective->loss(model, batch, stream);
  REQUIRE(losses.size() == 2);
  CHECK(losses[0].weight == 0.75);
  CHECK(losses[1].weight == 0.25);
  const double expected = 0.75 * losses[0].sum.item<double>() / batch.slots[0].total +
                          0.25 * losses[1].sum.item<double>() / batch.slots[1].total;
  CHECK(mean_loss(losses, batch).item<double>() == Approx(expected).epsilon(1e-6));
}

TEST_CASE("masked_next_token: what cannot work is refused") {
  CHECK_NOTHROW(make_objective("masked_next_token", {}, next_context(Architecture::encoder_only)));
  CHECK_THROWS_WITH(
      make_objective("masked_next_token", {{"causal_share", 0.5}}, next_context(Architecture::encoder_only)),
      "causal_share is 0.5, but every position of an encoder-only model sees the next token; take a "
      "decoder-only "
      "model or causal_share 0");
  CHECK_THROWS_WITH(make_objective("masked_next_token", {}, next_context(Architecture::encoder_decoder)),
                    Contains("needs a decoder-only or an encoder-only model"));
  ObjectiveContext bare = next_context();
  bare.vocabulary.cls.reset();
  CHECK_THROWS_WITH(make_objective("masked_next_token", {}, bare), Contains("[CLS], bos or eos"));
  bare.vocabulary.mask.reset();
  CHECK_THROWS_WITH(make_objective("masked_next_token", {}, bare), Contains("[MASK]"));
  const auto objective = make_objective("masked_next_token", {}, next_context());
  CHECK_FALSE(objective->form().needs_both_sides);  // examples ask for it
}
