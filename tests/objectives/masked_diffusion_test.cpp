#include <cmath>
#include <numeric>

#include <ATen/Context.h>

#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

ObjectiveContext diffusion_context(int64_t sequence_length = 128) {
  return {.vocabulary = bert_vocabulary(), .sequence_length = sequence_length, .width = 16, .classes = {}};
}

Example diffused(const Objective& objective, const std::vector<int64_t>& ids, uint64_t sample) {
  Stream stream = stream_of(sample);
  return objective.example({.ids = ids}, {}, stream);
}

}  // namespace

TEST_CASE("masked_diffusion: what is hidden is masked, labeled and weighs the inverse of the share") {
  const auto objective = make_objective("masked_diffusion", {}, diffusion_context());
  CHECK(objective->fills_any_share());
  CHECK_FALSE(make_objective("masked_lm", {}, diffusion_context())->fills_any_share());
  const std::vector<int64_t> text = ids_between(1000, 2000, 20, 1);
  for (uint64_t sample = 0; sample < 200; ++sample) {
    Stream same = stream_of(sample);
    const double rate = 1e-3 + (1 - 1e-3) * (1 - same.uniform());
    const Example example = diffused(*objective, text, sample);
    const Target& target = example.targets.front();
    std::vector<int64_t> expected{101};
    expected.insert(expected.end(), text.begin(), text.end());
    expected.push_back(102);
    for (size_t i = 0; i < target.at.size(); ++i) {
      CHECK(target.labels[i] == expected[target.at[i]]);
      CHECK(target.weights.at(i) == static_cast<float>(1 / rate));
      expected[target.at[i]] = 103;
    }
    CHECK(example.sequences.front().ids == expected);
    CHECK(target.weights.size() == target.at.size());
  }
}

TEST_CASE("masked_diffusion: shares are uniform, and weights add to the tokens in the mean") {
  const auto objective = make_objective("masked_diffusion", {{"least_rate", 0.01}}, diffusion_context());
  constexpr int64_t kSamples = 10'204;
  std::vector<int64_t> deciles(10, 0);
  double weights = 0;
  double hidden = 0;
  for (uint64_t sample = 0; sample < kSamples; ++sample) {
    const Target target = diffused(*objective, std::vector<int64_t>(98, 7592), sample).targets.front();
    if (target.at.empty()) {
      continue;  // of a small share
    }
    const double rate = 1 / target.weights.front();
    REQUIRE((rate > 0.0099 && rate < 1.0001));
    ++deciles[std::min(9, static_cast<int>((rate - 0.01) / 0.099))];
    weights += std::accumulate(target.weights.begin(), target.weights.end(), 0.0);
    hidden += static_cast<double>(target.at.size());
  }
  deciles.erase(deciles.begin());  // of small shares some have no label
  CHECK(chi_squared(deciles, std::vector<double>(9, 1.0 / 9)) < chi_squared_limit(8));
  // E[t] = 0.505, Var = 98² · 0.99²/12 + ...; E[Σ 1/t] = 98, Var = 98 · E[(1-t)/t] = 98 · (ln(100)/0.99 - 1).
  const double deviation = 98 * std::sqrt(0.99 * 0.99 / 12 + 0.17 / 98);
  CHECK(std::abs(hidden - 98 * 0.505 * kSamples) < 5 * deviation * std::sqrt(kSamples));
  const double spread = std::sqrt(98 * (std::log(100.0) / 0.99 - 1));
  CHECK(std::abs(weights - 98.0 * kSamples) < 5 * spread * std::sqrt(kSamples));
}

TEST_CASE("masked_diffusion: what cannot work is refused, and examples are functions of the stream") {
  ObjectiveContext no_mask = diffusion_context();
  no_mask.vocabulary.mask.reset();
  CHECK_THROWS_WITH(make_objective("masked_diffusion", {}, no_mask),
                    "masked_diffusion needs a tokenizer with [MASK], and this one has none");
  ObjectiveContext writes = diffusion_context();
  writes.architecture = Architecture::encoder_decoder;
  CHECK_THROWS_WITH(make_objective("masked_diffusion", {}, writes),
                    Contains("it needs an encoder-only model"));
  const auto objective = make_objective("masked_diffusion", {}, diffusion_context());
  CHECK((objective->form() == ObjectiveForm{.layout = Layout::in_place, .needs_both_sides = true}));
  CHECK(objective->lengths().raw == 126);
  const std::vector<int64_t> text = ids_between(1000, 2000, 126, 4);
  CHECK(diffused(*objective, text, 3).sequences.front().ids ==
        diffused(*objective, text, 3).sequences.front().ids);
  CHECK(diffused(*objective, text, 3).targets.front().at != diffused(*objective, text, 4).targets.front().at);
}
