// Every objective on every model: trained, or refused by what both declare.
#include "train/lab/matrix.h"

#include <limits>
#include <set>

#include <ATen/Context.h>

#include "core/parameters.h"
#include "data/batches/collate.h"
#include "support/catch.h"
#include "train/debug_configs.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

constexpr int64_t kSamples = 4;

// Text, and one of everything that a record may have beside it.
Sample sample_of_everything(int64_t number) {
  Stream stream({.sample = static_cast<uint64_t>(number), .purpose = Purpose::sampling});
  const auto text = [&](int64_t length) {
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < length; ++i) {
      ids.push_back(static_cast<int64_t>(stream.below(100)));
    }
    return ids;
  };
  Sample sample{.ids = text(12), .label = number % 2};
  sample.further_texts = {text(6)};
  sample.choices = {text(3), text(3)};
  sample.target = text(4);
  sample.value = static_cast<double>(number) / 4;
  sample.label_set = {number % 2};
  for (int64_t i = 0; i < 12; ++i) {
    sample.word_starts.push_back(i);
    sample.tags.push_back((i + number) % 2);
  }
  sample.sentence_starts = {0, 3, 6, 9};
  sample.another = [number](Stream&) { return sample_of_everything(number + 1); };
  auto passage = std::make_shared<Passage>();
  passage->text = "abcdef";
  for (int64_t i = 0; i < 6; ++i) {
    passage->ids.push_back({i, i + 1});
  }
  passage->answers = {{number % 3, number % 3 + 2}};
  sample.passage = passage;
  return sample;
}

Batch batch_of_everything(const Parts& parts) {
  std::vector<Example> examples;
  for (int64_t i = 0; i < kSamples; ++i) {
    Stream stream({.seed = 5, .sample = static_cast<uint64_t>(i), .purpose = Purpose::sampling});
    for (Example& example : parts.objective->examples(sample_of_everything(i), {}, stream)) {
      examples.push_back(std::move(example));
    }
  }
  return collate(examples, {parts.model->architecture(), parts.vocabulary, parts.objective->slots()});
}

// The least options that any network has.
AnyOptions tiny(const std::string& family) {
  const std::string model =
      "{type: " + family + ", layers: 1, width: 32, heads: 2, ffn_width: 64, dropout: 0}";
  const std::string objective = "objective={type: classification, pooling: mean}";
  return debug_config("classify", {"model=" + model, objective}).config.model.options;
}

// With its defaults, but for a model of its own: as small as the others.
ObjectiveKind tiny_objective(const std::string& name) {
  ObjectiveKind kind = registry().objective(name);
  if (name == "replaced_token_detection") {
    kind.defaults = debug_config("electra").config.objective.options;
  }
  return kind;
}

// What is learned by heart. A student cannot follow both the labels and a teacher that knows nothing of them: the
// largest of its three terms must fall. Replaced tokens are told apart at 50 times their loss, and what the generator
// draws moves while it learns.
double enough_for(const std::string& objective, double first) {
  return objective == "distillation"               ? 0.5 * first
         : objective == "replaced_token_detection" ? 50 * 0.01
                                                   : 0.05;
}

// The loss of the batch when it has been learned so far, or after 1,000 steps, and what would have been enough.
struct ByHeart {
  double loss = std::numeric_limits<double>::max();
  double enough = 0;
};
ByHeart learn(const Parts& parts, const Batch& batch, const std::string& name) {
  const NamedTensors trained = trainable(*parts.model, *parts.objective);
  const auto rule = registry().optimizer("adamw");
  const auto optimizer = rule.make(rule.defaults, {.parameters = trained});
  parts.model->eval();  // heads have dropout by default
  parts.objective->eval();
  ByHeart result;
  for (int64_t step = 0; step <= 1000 && result.loss >= result.enough; ++step) {
    Stream stream({.seed = 3});
    const Tensor loss = mean_loss(parts.objective->loss(*parts.model, batch, stream), batch);
    result.loss = loss.item<double>();
    result.enough = step == 0 ? enough_for(name, result.loss) : result.enough;
    loss.backward();
    optimizer->step(3e-3, 1, loss.detach());
    optimizer->clear_gradients();
  }
  return result;
}

}  // namespace

TEST_CASE("every pair of the zoo goes together or is refused in a sentence") {
  const std::vector<MatrixCell> cells = objective_matrix(registry());
  CHECK(cells.size() == registry().objectives().size() * registry().models().size());
  std::set<std::string> useful{"mixture"};  // is made of the others
  for (const MatrixCell& cell : cells) {
    INFO(cell.objective << " on " << cell.model << ": " << cell.refusal);
    CHECK(cell.refusal.find('\n') == std::string::npos);
    CHECK(cell.refusal.find("cannot be built") == std::string::npos);
    if (cell.refusal.empty()) {
      useful.insert(cell.objective);
      useful.insert(cell.model);
    }
  }
  CHECK(useful.size() == registry().objectives().size() + registry().models().size());
  const std::string text = to_text(cells);
  CHECK_THAT(text, Catch::Contains("masked_lm") && Catch::Contains("(1)"));
}

TEST_CASE("every pair that goes together learns a batch by heart") {
  for (const MatrixCell& cell : objective_matrix(registry())) {
    const ModelFamily& family = registry().model(cell.model);
    if (!cell.refusal.empty() || cell.objective == "skipgram" || cell.objective == "cbow") {
      continue;  // word vectors draw negatives, and have a loop and tests of their own
    }
    INFO(cell.objective << " on " << cell.model);
    at::manual_seed(1);
    const Parts parts = matrix_parts(family, tiny(cell.model), tiny_objective(cell.objective), registry());
    const ByHeart result = learn(parts, batch_of_everything(parts), cell.objective);
    CHECK(result.loss < result.enough);
  }
}
