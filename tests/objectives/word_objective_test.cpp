// Skip-gram and CBOW as objectives: examples, and losses against numbers computed by hand and by differences.
#include "objectives/parts/word_objective.h"

#include <ATen/Context.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using lmzoo::test::shown;

namespace {

Vocabulary four_words() {
  Vocabulary vocabulary;
  vocabulary.size = 5;
  vocabulary.unk = 4;
  vocabulary.counts = std::make_shared<const std::vector<int64_t>>(std::vector<int64_t>{8, 4, 2, 1});
  return vocabulary;
}

WordObjective objective(const WordOptions& options, bool cbow) {
  return {options, cbow, {.vocabulary = four_words(), .sequence_length = 100, .classes = {}}};
}

// |numeric - autograd| of a scalar function at x, in float64, relative to the larger gradient.
double gradient_error(const std::function<Tensor(const Tensor&)>& f, Tensor x, double factor = 1) {
  x = x.to(at::kDouble).clone().requires_grad_(true);
  const Tensor gradient = torch::autograd::grad({f(x)}, {x})[0];
  const at::NoGradGuard no_gradient;
  Tensor numeric = at::zeros_like(x);
  const double step = 1e-5;
  for (int64_t i = 0; i < x.numel(); ++i) {
    Tensor up = x.detach().clone(), down = x.detach().clone();
    up.view(-1)[i] += step;
    down.view(-1)[i] -= step;
    numeric.view(-1)[i] = (f(up) - f(down)) / (2 * step);
  }
  return ((gradient - factor * numeric).abs().max() / gradient.abs().max()).item<double>();
}

}  // namespace

TEST_CASE("skipgram: each word around is a position labeled with the word") {
  const WordObjective skipgram = objective({.window = 1, .sample = 0}, false);
  Stream stream({.seed = 1});
  const auto example = shown(skipgram.example({.ids = {0, 1, 4, 2}}, {}, stream));  // 4 is unknown
  CHECK(example.ids == std::vector<int64_t>{1, 0, 2, 1});
  CHECK(example.positions == std::vector<int64_t>{0, 1, 2, 3});
  CHECK(example.labels == std::vector<int64_t>{0, 1, 1, 2});
}

TEST_CASE("cbow: a bag's last word carries the label") {
  const WordObjective cbow = objective({.window = 1, .sample = 0}, true);
  Stream stream({.seed = 1});
  const auto example = shown(cbow.example({.ids = {0, 1, 2}}, {}, stream));
  CHECK(example.ids == std::vector<int64_t>{1, 0, 2, 1});
  CHECK(example.positions == std::vector<int64_t>{0, 2, 3});
  CHECK(example.labels == std::vector<int64_t>{0, 1, 2});
}

TEST_CASE("a text without two known words has no label") {
  for (const bool cbow : {false, true}) {
    Stream stream({.seed = 1});
    const auto example = shown(objective({.sample = 0}, cbow).example({.ids = {4, 2, 4}}, {}, stream));
    CHECK(example.labels.empty());
  }
}

TEST_CASE("windows are 1 to `window` words wide, each as often") {
  const WordObjective skipgram = objective({.window = 4, .sample = 0}, false);
  Stream stream({.seed = 3});
  const std::vector<int64_t> ids(4001, 0);
  const auto example = shown(skipgram.example({.ids = ids}, {}, stream));
  CHECK(static_cast<double>(example.ids.size()) / 4001 == Approx(5).margin(0.15));  // 2 · mean of 1..4
}

TEST_CASE("gradients of the logistic loss are those of differences") {
  at::manual_seed(5);
  const Tensor o = at::randn({3, 4, 6}, at::kDouble);
  const Tensor answers = (at::rand({3, 4}) < 0.5).to(at::kDouble);
  const Tensor times = at::tensor({1, 2, 0, 1}, at::kDouble).expand({3, 4});
  const Tensor h = at::randn({3, 6}, at::kDouble);
  const auto loss = [&](const Tensor& states, const Tensor& outputs) {
    return logistic_loss((outputs * states.unsqueeze(1)).sum(2), answers, times);
  };
  CHECK(gradient_error([&](const Tensor& x) { return loss(x, o); }, h) < 1e-6);
  CHECK(gradient_error([&](const Tensor& x) { return loss(h, x); }, o) < 1e-6);
}

TEST_CASE("gradients of trees and bags are those of differences; the mean's error is undivided") {
  at::manual_seed(6);
  const HuffmanTree tree(*four_words().counts);
  const WordTargets targets = tree_targets(tree, std::vector<int64_t>{0, 3});
  const Tensor table = at::randn({4, 6}, at::kDouble);
  const Tensor owners = at::tensor({0, 0, 0, 1, 1, 1});
  const auto loss = [&](const Tensor& x, bool mean) {
    const Tensor h = bag_states(x, owners, 2, mean);
    const Tensor o = table.index_select(0, targets.rows.flatten()).view({2, -1, 6});
    return logistic_loss((o * h.unsqueeze(1)).sum(2), targets.answers, targets.times);
  };
  const Tensor x = at::randn({6, 6}, at::kDouble);
  CHECK(gradient_error([&](const Tensor& at) { return loss(at, false); }, x) < 1e-6);
  CHECK(gradient_error([&](const Tensor& at) { return loss(at, true); }, x, 3) < 1e-6);
}

TEST_CASE("the tree's probabilities of all words sum to one") {
  at::manual_seed(7);
  const HuffmanTree tree(*four_words().counts);
  const Tensor table = at::randn({4, 6});
  const Tensor h = at::randn({6});
  double sum = 0;
  for (int64_t word = 0; word < 4; ++word) {
    const WordTargets targets = tree_targets(tree, std::vector<int64_t>{word});
    const Tensor scores = table.index_select(0, targets.rows.flatten()).matmul(h).unsqueeze(0);
    sum += std::exp(-logistic_loss(scores, targets.answers, targets.times).item<double>());
  }
  CHECK(sum == Approx(1).epsilon(1e-5));
}

TEST_CASE("word objectives refuse what they cannot use") {
  CHECK_THROWS_WITH(objective({.cbow_mean = true}, false), Catch::Contains("cbow_mean belongs to cbow"));
  Vocabulary pieces = four_words();
  pieces.counts = nullptr;
  CHECK_THROWS_WITH(WordObjective({}, true, {.vocabulary = pieces, .classes = {}}),
                    Catch::Contains("tokenizer.type to words"));
}
