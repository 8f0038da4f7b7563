// Words that are read by their n-grams too: a step of the kernels is a step of gradient descent on the loss
// of the model.
#include <ATen/Context.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include "nn/words/kernels.h"
#include "nn/words/options.h"
#include "objectives/parts/word_objective.h"
#include "support/catch.h"
#include "train/run/assemble.h"
#include "train/words/composed_inputs.h"
#include "train/words/groups.h"
#include "train/words/rows.h"

using namespace lmzoo;

namespace {

const std::vector<int64_t> kNgramCounts{40, 30, 20, 10, 8, 6, 4, 2};
const NgramOptions kNgrams{.min = 2, .max = 4, .buckets = 40};  // so few that n-grams share them

Vocabulary vocabulary() {
  WordIndex words;
  for (const char* word : {"under", "undergo", "undo", "go", "going", "ago", "a", "aéa"}) {
    words.add(word);
  }
  Vocabulary made;
  made.size = 10;
  made.counts = std::make_shared<const std::vector<int64_t>>(kNgramCounts);
  made.words = std::make_shared<const WordIndex>(std::move(words));
  return made;
}

std::shared_ptr<Model> make_model(const NgramOptions& ngrams) {
  static const Registry registry = make_registry();
  return registry.model("word2vec")
      .make(AnyOptions(Word2vecOptions{.width = 37, .ngrams = ngrams}),
            {.vocabulary = vocabulary(), .sequence_length = 100});
}

Tensor states(Model& model, const Tensor& ids) {
  Inputs inputs;
  inputs.ids = ids;
  return model.hidden(inputs);
}

// Gradient descent on the loss of a group; the model is float64.
void ngram_reference_step(Model& model, const IdGroup& group, const WordTask& task, double lr) {
  const auto times = at::tensor(group.input_times, at::kLong);
  const Tensor distinct = at::tensor(group.inputs, at::kLong);
  const Tensor ids = task.is_cbow ? distinct.repeat_interleave(times) : distinct;
  const Tensor x = states(model, ids);
  const Tensor o = model.project(x).weight.index_select(0, at::tensor(group.outputs, at::kLong));
  const Tensor answers = at::tensor(group.labels, at::kDouble).unsqueeze(0);
  const Tensor counted = at::tensor(group.output_times, at::kDouble).unsqueeze(0);
  const Tensor loss =
      task.is_cbow
          ? logistic_loss(
                bag_states(x, at::zeros({ids.size(0)}, at::kLong), 1, true).matmul(o.t()), answers, counted)
          : logistic_loss(x.matmul(o.t()), answers, counted * times.to(at::kDouble).unsqueeze(1));
  const std::vector<Tensor> parameters = model.parameters();
  const auto gradients = torch::autograd::grad({loss}, parameters);
  const at::NoGradGuard no_gradient;
  for (size_t i = 0; i < parameters.size(); ++i) {
    parameters[i].sub_(lr * gradients[i]);
  }
}

WordTables tables_of(Model& model) {
  auto parameters = model.named_parameters();
  return {.inputs = parameters["tokens.weight"].data_ptr<float>(),
          .outputs = parameters["outputs.weight"].data_ptr<float>(),
          .words = std::ssize(kNgramCounts),
          .stride = padded_width(37),
          .ngrams = parameters["ngrams.weight"].data_ptr<float>(),
          .buckets = kNgrams.buckets};
}

void ngram_kernel_step(const WordTables& tables, const IdGroup& group, const WordTask& task, float lr) {
  ComposedInputs composed(task.most_inputs(), tables.stride);
  std::vector<float*> rows, outputs;
  std::vector<int32_t> counts;
  for (const int32_t word : group.inputs) {
    const auto buckets = task.ngrams->buckets(word);
    rows.push_back(tables.row(word));
    for (const int32_t bucket : buckets) {
      rows.push_back(tables.row(2 * tables.words + bucket));
    }
    counts.push_back(static_cast<int32_t>(1 + buckets.size()));
  }
  for (const int32_t row : group.outputs) {
    outputs.push_back(tables.row(tables.words + row));
  }
  float* const* inputs = composed.gather(rows, counts);
  float around = 0;
  for (const float times : group.input_times) {
    around += times;
  }
  const WordGroup all{.inputs = inputs,
                      .input_times = group.input_times.data(),
                      .outputs = outputs.data(),
                      .output_times = group.output_times.data(),
                      .labels = group.labels.data(),
                      .input_count = std::ssize(counts),
                      .output_count = std::ssize(outputs)};
  OwnedScratch scratch(task.most_inputs(), task.most_outputs(), tables.stride);
  (task.is_cbow ? word_kernels().bag : word_kernels().pairs)(
      all, {.stride = tables.stride, .lr = lr, .scale = task.is_cbow ? 1 / around : 1}, scratch.get());
  composed.scatter();
}

}  // namespace

TEST_CASE("with n-grams a step of the kernels is a step of gradient descent on the reference loss") {
  const bool cbow = GENERATE(false, true);
  const WordOutput output = GENERATE(WordOutput::negative_sampling, WordOutput::hierarchical_softmax);
  const ShareNegatives share = GENERATE(ShareNegatives::none, ShareNegatives::center);
  WordTask task({.output = output, .window = 4, .sample = 0, .share_negatives = share}, cbow, kNgramCounts);
  task.ngrams.emplace(*vocabulary().words, kNgrams);
  at::manual_seed(3);
  const auto fast = make_model(kNgrams);
  const auto slow = make_model(kNgrams);
  slow->to(at::kDouble);
  {
    const at::NoGradGuard no_gradient;
    for (const auto& parameter : slow->named_parameters()) {
      fast->named_parameters()[parameter.name].normal_(0, 0.3);
      parameter.value.copy_(fast->named_parameters()[parameter.name]);
    }
  }
  GroupMaker maker(task);
  maker.begin(std::vector<int64_t>{0, 1, 0, 2, 7, 3, 0, 0, 5, 1, 6, 4}, 1);
  int groups = 0;
  for (IdGroup group; maker.next(group); ++groups) {
    ngram_reference_step(*slow, group, task, 0.05);
    ngram_kernel_step(tables_of(*fast), group, task, 0.05F);
    const at::NoGradGuard no_gradient;
    for (const auto& parameter : slow->named_parameters()) {
      Tensor got = fast->named_parameters()[parameter.name];
      INFO(parameter.name);
      CHECK((parameter.value - got).abs().max().item<double>() < 1e-6);
      got.copy_(parameter.value);  // so that no error is carried to the next step
    }
  }
  CHECK(groups >= 12);
}

TEST_CASE("a word's state is the mean of its row and its n-grams' rows; an id without a word has none") {
  const auto model = make_model(kNgrams);
  const auto parameters = model->named_parameters();
  std::vector<int32_t> buckets;
  append_ngrams("undo", kNgrams, buckets);
  Tensor sum = parameters["tokens.weight"][2].clone();
  for (const int32_t bucket : buckets) {
    sum = sum + parameters["ngrams.weight"][bucket];
  }
  const Tensor rows = states(*model, at::tensor({2, 9}, at::kLong));
  CHECK(at::allclose(rows[0], sum / static_cast<double>(buckets.size() + 1), 1e-5, 1e-8));
  CHECK(rows[1].abs().max().item<double>() == 0);
}

TEST_CASE("n-grams from longer to shorter are refused, and n-grams without words") {
  CHECK_THROWS_WITH(make_model({.min = 5, .max = 4}), Catch::Contains("ngrams.min is 5"));
}
