#include <ATen/Context.h>

#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

Shown cut_text(const Objective& objective, const std::vector<int64_t>& ids, uint64_t sample) {
  Stream stream = stream_of(sample);
  return shown(objective.example({.ids = ids}, {}, stream));
}

}  // namespace

TEST_CASE("prefix_lm: exact ids where only one cut is possible") {
  const auto objective = make_objective("prefix_lm", {}, t5_context(64));
  const Shown pair = cut_text(*objective, {37, 5295}, 1);
  CHECK(pair.ids == std::vector<int64_t>{37, 1});
  CHECK(pair.target == std::vector<int64_t>{5295, 1});
  CHECK(pair.unlabeled.empty());
  // Nothing can stand before the only id of a text.
  CHECK(cut_text(*objective, {37}, 1).ids == std::vector<int64_t>{1});
  CHECK(cut_text(*objective, {37}, 1).target == std::vector<int64_t>{37, 1});
}

TEST_CASE("prefix_lm: the prefix has 1 to n - 1 ids, each as likely, over a million tokens") {
  constexpr int64_t kLength = 20;
  const auto objective = make_objective("prefix_lm", {}, t5_context(64));
  const std::vector<int64_t> ids = ids_between(2, 32000, kLength, 1);
  std::vector<int64_t> counts(kLength - 1, 0);
  for (uint64_t sample = 0; sample < 50'000; ++sample) {
    const Shown pair = cut_text(*objective, ids, sample);
    const auto read = std::ssize(pair.ids) - 1;
    ++counts.at(static_cast<size_t>(read - 1));
    std::vector<int64_t> both(pair.ids.begin(), pair.ids.end() - 1);
    both.insert(both.end(), pair.target.begin(), pair.target.end() - 1);
    REQUIRE(both == ids);
  }
  CHECK(chi_squared(counts, std::vector<double>(kLength - 1, 1.0 / (kLength - 1))) <
        chi_squared_limit(kLength - 2));
}

TEST_CASE("prefix_lm: full windows fit, and nothing is read twice") {
  const Architecture architecture = GENERATE(Architecture::encoder_decoder, Architecture::decoder_only);
  const bool joined = architecture == Architecture::decoder_only;
  const auto objective = make_objective("prefix_lm", {}, t5_context(32, architecture));
  CHECK(objective->form().layout == Layout::source_target);
  CHECK(objective->lengths().raw == (joined ? 30 : 32));
  for (uint64_t sample = 0; sample < 300; ++sample) {
    const Shown pair = cut_text(*objective, ids_between(2, 32000, objective->lengths().raw, 1), sample);
    if (joined) {
      REQUIRE(std::ssize(pair.ids) + std::ssize(pair.target) == 32);
    }
    REQUIRE(std::ssize(pair.ids) <= objective->lengths().source);
    REQUIRE(std::ssize(pair.target) <= objective->lengths().target);
  }
}

TEST_CASE("prefix_lm: the same stream gives the same cut; what cannot work is refused") {
  const auto objective = make_objective("prefix_lm", {}, t5_context(64));
  const std::vector<int64_t> ids = ids_between(2, 32000, 60, 1);
  CHECK(cut_text(*objective, ids, 3).ids == cut_text(*objective, ids, 3).ids);
  CHECK(cut_text(*objective, ids, 3).ids != cut_text(*objective, ids, 4).ids);
  ObjectiveContext no_end = t5_context(64);
  no_end.vocabulary.eos.reset();
  CHECK_THROWS_WITH(make_objective("prefix_lm", {}, no_end),
                    "prefix_lm needs a tokenizer with eos, and this one has none");
  CHECK_THROWS_WITH(make_objective("prefix_lm", {}, t5_context(3, Architecture::decoder_only)),
                    "data.sequence_length is 3 but prefix_lm of a decoder-only model needs at least 4");
}

TEST_CASE("prefix_lm: a model learns one batch by heart") {
  at::manual_seed(1);
  ObjectiveContext context = t5_context(32);
  context.vocabulary.size = 50;
  const auto objective = make_objective("prefix_lm", {}, context);
  const Batch batch = batch_of({cut_text(*objective, ids_between(3, 47, 30, 1), 1),
                                cut_text(*objective, ids_between(3, 47, 20, 2), 2)});
  TinyModel model(Architecture::encoder_decoder, 50);
  const Overfit result = overfit(*objective, model, batch);
  CHECK(result.last < 0.1 * result.first);
  CHECK(result.accuracy == 1);
}
