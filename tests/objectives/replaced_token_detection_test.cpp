#include <cmath>
#include <numeric>

#include <ATen/Context.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "io/json.h"
#include "nn/linear.h"
#include "objectives/parts/draw_ids.h"
#include "objectives/support.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kDetection = "replaced_token_detection";

ObjectiveContext detection_context(int64_t vocabulary = 30522, int64_t sequence_length = 64) {
  ObjectiveContext context{
      .vocabulary = bert_vocabulary(), .sequence_length = sequence_length, .width = 16, .classes = {}};
  context.vocabulary.size = vocabulary;
  return context;
}

// Ids from 104 on are text.
std::vector<Example> detected_examples(const Objective& objective, int64_t vocabulary = 130) {
  std::vector<Example> examples;
  for (uint64_t sample = 0; sample < 3; ++sample) {
    Stream stream = stream_of(sample);
    const std::vector<int64_t> text = ids_between(104, vocabulary, 30, sample);
    examples.push_back(objective.example({.ids = text}, {}, stream));
  }
  return examples;
}

// A discriminator, a generator and a batch that both have read.
struct Detection {
  explicit Detection(double weight = 50) {
    at::manual_seed(1);
    objective = make_objective(
        kDetection, {{"dialect", std::string("bert")}, {"weight", weight}}, detection_context(130));
    batch = batch_of(detected_examples(*objective), objective->slots());
    objective->eval();
  }
  Model& generator() const { return *objective->further_models().front().model; }
  Losses losses(uint64_t seed = 1) {
    Stream stream = stream_of(1, seed);
    return objective->loss(model, batch, stream);
  }

  TinyModel model{Architecture::encoder_only, 130};
  std::shared_ptr<Objective> objective;
  Batch batch;
};

bool has_gradient(const Module& module) {
  return std::ranges::any_of(module.parameters(), [](const Tensor& weight) {
    return weight.grad().defined() && weight.grad().abs().max().item<double>() > 0;
  });
}

}  // namespace

TEST_CASE("ids by number are those of the array implementation") {
  const Json cases = read_json(golden("objectives.json"))["draws"];
  REQUIRE(cases.size() == 5);
  for (const Json& given : cases) {
    const auto numbers = given["logits"].get<std::vector<double>>();
    const auto shares = given["shares"].get<std::vector<double>>();
    const Tensor logits = at::tensor(numbers, at::kFloat).view({std::ssize(shares), -1});
    const Tensor drawn = ids_at(logits, at::tensor(shares, at::kDouble));
    CHECK(drawn.equal(at::tensor(given["ids"].get<std::vector<int64_t>>(), at::kLong)));
  }
}

TEST_CASE("ids are drawn by their softmax, in chunks or not, and by one number of the stream a row") {
  constexpr int64_t kRows = 1'000'000, kIds = 23;
  std::vector<double> logits, shares;
  for (int64_t id = 0; id < kIds; ++id) {
    logits.push_back(std::cos(static_cast<double>(id)) * 3);
    shares.push_back(std::exp(logits.back()));
  }
  const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) {
    share /= total;
  }
  const Projection projection{
      .rows = at::ones({kRows, 1}), .weight = at::tensor(logits, at::kFloat).view({-1, 1}), .bias = {}};
  Stream stream = stream_of(7);
  const Tensor drawn = draw_ids(projection, stream);
  const Tensor counts = drawn.bincount({}, kIds);
  CHECK(chi_squared({counts.const_data_ptr<int64_t>(), counts.const_data_ptr<int64_t>() + kIds}, shares) <
        chi_squared_limit(kIds - 1));
  Stream again = stream_of(7);
  for (int64_t row = 0; row < 1000; ++row) {
    double left = again.uniform();
    int64_t id = 0;
    while (left >= shares[static_cast<size_t>(id)]) {
      left -= shares[static_cast<size_t>(id++)];
    }
    REQUIRE(drawn[row].item<int64_t>() == id);
  }
  CHECK(draw_ids({.rows = at::ones({0, 1}), .weight = projection.weight, .bias = {}}, stream).numel() == 0);
}

TEST_CASE("replaced_token_detection: the generator predicts what is masked, the discriminator tells of all") {
  const auto objective = make_objective(kDetection, {}, detection_context());
  CHECK((objective->form() == ObjectiveForm{.layout = Layout::in_place, .needs_both_sides = true}));
  CHECK(objective->lengths().raw == 62);
  const std::vector<int64_t> text{1996, 10026, 12984, 1996, 7954};  // the chef cooked the meal
  int64_t masks = 0;
  for (uint64_t sample = 0; sample < 200; ++sample) {
    Stream stream = stream_of(sample);
    const Example example = objective->example({.ids = text}, {}, stream);
    std::vector<int64_t> ids{101};
    ids.insert(ids.end(), text.begin(), text.end());
    ids.push_back(102);
    REQUIRE(example.targets.size() == 2);
    const Target& all = example.targets[0];
    CHECK(all.at == std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6});
    CHECK(all.labels == std::vector<int64_t>(7, 0));
    const Target& hidden = example.targets[1];
    REQUIRE(hidden.at.size() == 1);  // round(7 · 0.15)
    CHECK(hidden.labels[0] == ids[hidden.at[0]]);
    if (example.sequences[0].ids[hidden.at[0]] == 103) {
      ids[hidden.at[0]] = 103;
      ++masks;
    }
    CHECK(example.sequences[0].ids == ids);
  }
  CHECK(std::abs(static_cast<double>(masks) - 200 * 0.85) < five_sigma(200, 0.85));  // the rest is kept
}

TEST_CASE(
    "replaced_token_detection: both losses are those of the paper, and what equals the text is no "
    "replacement") {
  Detection given;
  const Losses losses = given.losses();
  const SlotBatch& masked = given.batch.slots[1];
  // Slowly, from the same draws.
  const Tensor rows = given.generator().hidden(given.batch.inputs).index_select(0, masked.rows);
  const Tensor logits = given.generator().logits(rows);
  const Tensor nll = -logits.log_softmax(1).gather(1, masked.labels.unsqueeze(1)).sum();
  Stream stream = stream_of(1);
  const Tensor drawn = draw_ids(given.generator().project(rows), stream);
  Inputs filled = given.batch.inputs;
  filled.ids = given.batch.inputs.ids.clone();
  Tensor replaced = at::zeros({filled.ids.numel()});
  int64_t lucky = 0;
  for (int64_t i = 0; i < drawn.numel(); ++i) {
    const auto row = masked.rows[i].item<int64_t>();
    const bool right = drawn[i].item<int64_t>() == masked.labels[i].item<int64_t>();
    filled.ids[row] = drawn[i];
    replaced[row] = right ? 0 : 1;
    lucky += right ? 1 : 0;
  }
  const auto dense = given.objective->child<Linear>("dense");
  const auto output = given.objective->child<Linear>("output");
  const Tensor states = given.model.hidden(filled);
  const Tensor scores = output->forward(at::gelu(dense->forward(states))).squeeze(1);
  const Tensor told = -(replaced * at::log_sigmoid(scores) + (1 - replaced) * at::log_sigmoid(-scores)).sum();
  REQUIRE(losses.size() == 2);
  CHECK(losses[0].sum.item<double>() == Approx(told.item<double>()).epsilon(1e-5));
  CHECK(losses[0].weight == 50);
  CHECK(losses[1].sum.item<double>() == Approx(nll.item<double>()).epsilon(1e-5));
  CHECK(losses[1].weight == 1);
  CHECK(lucky < drawn.numel());
  CHECK(losses[0].metrics[2].first == "replaced");
  CHECK(losses[0].metrics[2].second.item<int64_t>() == drawn.numel() - lucky);

  Predictions predictions;
  Stream same = stream_of(1);
  const Losses again = given.objective->loss_and_predictions(given.model, given.batch, same, predictions);
  CHECK(again[0].sum.equal(losses[0].sum));
  const std::vector<int64_t>& expected = predictions.classes.expected;
  const std::vector<int64_t>& guessed = predictions.classes.given;
  REQUIRE(std::ssize(expected) == filled.ids.numel());
  int64_t right = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(expected[i] == replaced[static_cast<int64_t>(i)].item<int64_t>());
    right += expected[i] == guessed[i] ? 1 : 0;
  }
  CHECK(losses[0].metrics[1].second.item<int64_t>() == right);
}

TEST_CASE("replaced_token_detection: each loss teaches its own model, and draws follow the stream") {
  Detection given;
  given.losses()[0].sum.backward();
  CHECK(has_gradient(given.model));
  CHECK_FALSE(has_gradient(given.generator()));
  Detection other;
  other.losses()[1].sum.backward();
  CHECK_FALSE(has_gradient(other.model));
  CHECK(has_gradient(other.generator()));
  CHECK(given.losses(1)[0].sum.equal(given.losses(1)[0].sum));
  CHECK_FALSE(given.losses(1)[0].sum.equal(given.losses(2)[0].sum));
}

TEST_CASE("replaced_token_detection: generator and discriminator learn a batch by heart") {
  Detection given(1);
  const Overfit result = overfit(*given.objective, given.model, given.batch);
  CHECK(result.last < 0.2 * result.first);
}

TEST_CASE("replaced_token_detection: what cannot work is refused") {
  ObjectiveContext context = detection_context();
  context.vocabulary.mask.reset();
  CHECK_THROWS_WITH(make_objective(kDetection, {}, context),
                    "replaced_token_detection needs a tokenizer with [MASK], and this one has none");
  context = detection_context();
  context.architecture = Architecture::encoder_decoder;
  CHECK_THROWS_WITH(make_objective(kDetection, {}, context), Contains("it needs an encoder-only model"));
  CHECK_THROWS_WITH(make_objective(kDetection, {}, detection_context(130, 100'000)),
                    Contains("generator takes at most ") && Contains("data.sequence_length is 100000"));
}
