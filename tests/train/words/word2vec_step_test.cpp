// Groups of words, and that a step of the fast kernels is a step of gradient descent on the reference loss.
#include <cmath>
#include <set>

#include <ATen/Context.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include "nn/words/scratch.h"
#include "objectives/parts/word_objective.h"
#include "support/catch.h"
#include "train/words/groups.h"
#include "train/words/rows.h"

using namespace lmzoo;

namespace {

const std::vector<int64_t> kCounts{40, 30, 20, 10, 8, 6, 4, 2};

std::vector<IdGroup> groups_of(const WordTask& task,
                               const std::vector<int64_t>& sentence,
                               uint64_t seed = 1) {
  GroupMaker maker(task);
  maker.begin(sentence, seed);
  std::vector<IdGroup> groups;
  for (IdGroup group; maker.next(group);) {
    groups.push_back(group);
  }
  return groups;
}

Tensor tensor_of(const std::vector<float>& values) { return at::tensor(values, at::kDouble); }
Tensor tensor_of(const std::vector<int32_t>& rows) { return at::tensor(rows, at::kLong); }

struct Tables {
  Tensor inputs, outputs;  // [V, D] float64
};

// Gradient descent on the sum of the logistic losses of a group, on autograd.
Tables reference_step(const Tables& before, const IdGroup& group, const WordTask& task, double lr) {
  const Tensor inputs = before.inputs.clone().requires_grad_(true);
  const Tensor outputs = before.outputs.clone().requires_grad_(true);
  const Tensor o = outputs.index_select(0, tensor_of(group.outputs));  // [T, D]
  const Tensor answers = tensor_of(group.labels).unsqueeze(0);
  const Tensor times = tensor_of(group.output_times).unsqueeze(0);
  Tensor loss;
  if (task.is_cbow) {
    Tensor rows = tensor_of(group.inputs).repeat_interleave(tensor_of(group.input_times).to(at::kLong));
    const Tensor x = inputs.index_select(0, rows);
    const Tensor h =
        bag_states(x, at::zeros({x.size(0)}, at::kLong), 1, task.options.cbow_mean.value_or(true));
    loss = logistic_loss(h.matmul(o.t()), answers, times);
  } else {
    const Tensor x = inputs.index_select(0, tensor_of(group.inputs));  // [B, D]
    loss = logistic_loss(x.matmul(o.t()), answers, times * tensor_of(group.input_times).unsqueeze(1));
  }
  const auto gradients = torch::autograd::grad({loss}, {inputs, outputs});
  return {(inputs - lr * gradients[0]).detach(), (outputs - lr * gradients[1]).detach()};
}

Tables kernel_step(const Tables& before, const IdGroup& group, const WordTask& task, float lr) {
  const int64_t width = before.inputs.size(1);
  const int64_t stride = padded_width(width);
  const auto padded = [&](const Tensor& table) {
    const Tensor whole = at::zeros({table.size(0), stride});
    whole.narrow(1, 0, width).copy_(table);
    return whole;
  };
  const Tensor inputs = padded(before.inputs), outputs = padded(before.outputs);
  std::vector<float*> x, o;
  for (const int32_t row : group.inputs) {
    x.push_back(inputs.data_ptr<float>() + row * stride);
  }
  for (const int32_t row : group.outputs) {
    o.push_back(outputs.data_ptr<float>() + row * stride);
  }
  OwnedScratch scratch(task.most_inputs(), task.most_outputs(), stride);
  float around = 0;
  for (const float times : group.input_times) {
    around += times;
  }
  const WordGroup rows{.inputs = x.data(),
                       .input_times = group.input_times.data(),
                       .outputs = o.data(),
                       .output_times = group.output_times.data(),
                       .labels = group.labels.data(),
                       .input_count = std::ssize(x),
                       .output_count = std::ssize(o)};
  const bool mean = task.is_cbow && task.options.cbow_mean.value_or(true);
  (task.is_cbow ? word_kernels().bag : word_kernels().pairs)(
      rows, {.stride = stride, .lr = lr, .scale = mean ? 1 / around : 1}, scratch.get());
  return {inputs.narrow(1, 0, width).to(at::kDouble), outputs.narrow(1, 0, width).to(at::kDouble)};
}

}  // namespace

TEST_CASE("a step of the kernel is a step of gradient descent on the reference loss") {
  const bool cbow = GENERATE(false, true);
  const WordOutput output = GENERATE(WordOutput::negative_sampling, WordOutput::hierarchical_softmax);
  const ShareNegatives share = GENERATE(ShareNegatives::none, ShareNegatives::center, ShareNegatives::window);
  const std::optional<bool> mean = GENERATE(std::optional<bool>(), std::optional<bool>(false));
  if (mean && !cbow) {
    return;
  }
  const WordTask task(
      {.output = output, .window = 4, .sample = 0, .share_negatives = share, .cbow_mean = mean},
      cbow,
      kCounts);
  at::manual_seed(3);
  Tables tables{at::randn({8, 37}, at::kDouble) * 0.3, at::randn({8, 37}, at::kDouble) * 0.3};
  // Words repeat within a window, and negatives repeat among so few words.
  const auto groups = groups_of(task, {0, 1, 0, 2, 7, 3, 0, 0, 5, 1, 6, 4});
  CHECK(groups.size() >= 12);
  for (const IdGroup& group : groups) {
    const Tables wanted = reference_step(tables, group, task, 0.05);
    const Tables got = kernel_step(tables, group, task, 0.05F);
    CHECK((wanted.inputs - got.inputs).abs().max().item<double>() < 1e-6);
    CHECK((wanted.outputs - got.outputs).abs().max().item<double>() < 1e-6);
    tables = wanted;
  }
}

TEST_CASE("a group holds the words around, each once with its count, and negatives that are not the word") {
  const WordTask task({.window = 2, .negatives = 20, .sample = 0}, false, kCounts);
  for (uint64_t seed = 0; seed < 50; ++seed) {
    for (const IdGroup& group : groups_of(task, {3, 3, 5, 3, 9999}, seed)) {
      CHECK(std::set(group.inputs.begin(), group.inputs.end()).size() == group.inputs.size());
      CHECK(std::set(group.outputs.begin(), group.outputs.end()).size() == group.outputs.size());
      CHECK(group.labels.front() == 1);
      float around = 0, negatives = 0;
      for (const float times : group.input_times) {
        around += times;
      }
      for (size_t t = 1; t < group.outputs.size(); ++t) {
        CHECK(group.labels[t] == 0);
        negatives += group.output_times[t];
      }
      CHECK(around == group.pairs);
      CHECK(negatives <= 20);  // those equal to the word are skipped
      CHECK(negatives > 10);
    }
  }
}

TEST_CASE("who shares negatives: a pair, a center, or as many centers as the window is wide") {
  const std::vector<int64_t> sentence{0, 1, 2, 3, 4, 5, 6, 7};
  const auto negatives = [&](ShareNegatives share) {
    // So many negatives of so many words that two draws are never the same.
    const std::vector<int64_t> counts(100'000, 5);
    std::vector<std::vector<int32_t>> drawn;
    for (const IdGroup& group :
         groups_of({{.window = 2, .sample = 0, .share_negatives = share}, false, counts}, sentence)) {
      drawn.emplace_back(group.outputs.begin() + 1, group.outputs.end());
    }
    return drawn;
  };
  const auto pairs = negatives(ShareNegatives::none);
  CHECK(pairs.size() > 8);
  CHECK(std::set(pairs.begin(), pairs.end()).size() == pairs.size());
  const auto centers = negatives(ShareNegatives::center);
  CHECK(centers.size() == 8);
  CHECK(std::set(centers.begin(), centers.end()).size() == 8);
  const auto windows = negatives(ShareNegatives::window);
  CHECK(windows.size() == 8);
  CHECK(std::set(windows.begin(), windows.end()).size() == 4);
}

TEST_CASE("with one word, or none that is known, there is nothing to predict") {
  const WordTask task({.sample = 0}, false, kCounts);
  CHECK(groups_of(task, {}).empty());
  CHECK(groups_of(task, {3}).empty());
  CHECK(groups_of(task, {3, 9999, 10'000}).empty());
  // A corpus of one word: every negative is the word itself.
  const WordTask single({.sample = 0}, false, std::vector<int64_t>{5});
  for (const IdGroup& group : groups_of(single, {0, 0, 0})) {
    CHECK(group.outputs == std::vector<int32_t>{0});
  }
  const WordTask tree(
      {.output = WordOutput::hierarchical_softmax, .sample = 0}, false, std::vector<int64_t>{5});
  for (const IdGroup& group : groups_of(tree, {0, 0, 0})) {
    CHECK(group.outputs.empty());
  }
}

TEST_CASE("rows that several threads need are changed in copies, whose changes are added; others in place") {
  std::vector<float> inputs(4 * 16), outputs(4 * 16), buckets(3 * 16);
  for (size_t i = 0; i < inputs.size(); ++i) {
    inputs[i] = static_cast<float>(i);
  }
  const WordTables tables{inputs.data(), outputs.data(), 4, 16, buckets.data(), 3};
  RowClaims claims(tables.rows());
  std::vector<RoundRows> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back(tables);
  }
  for (uint32_t round = 1; round < 3; ++round) {
    const float before = inputs[16];
    const std::vector<std::vector<int64_t>> needed{{1, 7, 1}, {0, 1, 10}, {10, 2}};
    for (size_t i = 0; i < 3; ++i) {
      threads[i].begin();
      for (const int64_t row : needed[i]) {
        threads[i].collect(row);
      }
      threads[i].claim(claims, round);
    }
    CHECK(threads[0].count() == 2);
    CHECK(threads[0].collect(7) == 1);
    for (RoundRows& rows : threads) {
      rows.locate(claims, round);
    }
    CHECK(threads[0].located()[1] == tables.row(7));
    CHECK(threads[1].located()[0] == tables.row(0));
    CHECK(threads[2].located()[1] == tables.row(2));
    CHECK(threads[0].located()[0] != threads[1].located()[1]);
    threads[0].located()[0][0] += 1;
    threads[1].located()[1][0] += 2;
    threads[1].located()[2][5] += 8;
    threads[2].located()[0][5] -= 1;
    CHECK(inputs[16] == before);
    for (const size_t i : {2U, 0U, 1U}) {
      threads[i].merge(threads, i, 0);
    }
    CHECK(inputs[16] == before + 3);
    CHECK(inputs[17] == 17);
    CHECK(buckets[2 * 16 + 5] == 7 * static_cast<float>(round));
  }
}

TEST_CASE("changes of rows that are used often are averaged, not added") {
  std::vector<float> inputs(16), outputs(16);
  const WordTables tables{.inputs = inputs.data(), .outputs = outputs.data(), .words = 1, .stride = 16};
  RowClaims claims(tables.rows());
  std::vector<RoundRows> threads;
  for (size_t i = 0; i < 4; ++i) {
    RoundRows& rows = threads.emplace_back(tables);
    rows.begin();
    rows.collect(0);
    for (int use = 0; use < 1000; ++use) {
      rows.collect(1);
    }
    rows.claim(claims, 1);
  }
  for (RoundRows& rows : threads) {
    rows.locate(claims, 1);
    rows.located()[0][0] += 2;
    rows.located()[1][0] += 2;
  }
  for (size_t i = 0; i < 4; ++i) {
    threads[i].merge(threads, i, 0.025F);
  }
  CHECK(inputs[0] == Approx(8).epsilon(0.05));
  CHECK(outputs[0] == Approx(2).epsilon(1e-4));
}
