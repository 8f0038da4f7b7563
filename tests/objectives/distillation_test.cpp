#include <algorithm>

#include <ATen/Context.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include "objectives/parts/soft_targets.h"
#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

constexpr int64_t kTeacherIds = 130;

struct TeacherOptions {
  Architecture architecture = Architecture::encoder_only;
  int64_t width = 16;
  bool is_asked = false;
};

// Of two models with 130 ids; the teacher is opened `opened` times.
struct Lesson {
  explicit Lesson(const Settings& settings = {}, const TeacherOptions& teacher = {}) {
    at::manual_seed(3);
    student = std::make_shared<TinyModel>(Architecture::encoder_only, kTeacherIds);
    told = std::make_shared<TinyModel>(teacher.architecture, kTeacherIds, teacher.width);
    ObjectiveContext context{
        .vocabulary = bert_vocabulary(), .sequence_length = 64, .width = 16, .classes = {}};
    context.vocabulary.size = kTeacherIds;
    context.is_asked = teacher.is_asked;
    context.open_model = [this](const std::string& path) {
      ++opened;
      return FurtherModel{.name = path, .type = "bert", .options = {}, .model = told, .file = path};
    };
    Settings all = settings;
    all.insert({"teacher", std::string("runs/bert")});
    objective = make_objective("distillation", all, context);
    std::vector<Example> examples;
    for (uint64_t sample = 0; sample < 3; ++sample) {
      Stream stream = stream_of(sample);
      examples.push_back(objective->example({.ids = ids_between(104, kTeacherIds, 30, sample)}, {}, stream));
    }
    batch = batch_of(examples, objective->slots());
  }
  Losses losses() {
    Stream stream({});
    return objective->loss(*student, batch, stream);
  }

  int64_t opened = 0;
  std::shared_ptr<TinyModel> told;
  std::shared_ptr<TinyModel> student;
  std::shared_ptr<Objective> objective;
  Batch batch;
};

Projection random_projection(int64_t rows, int64_t width, int64_t classes) {
  return {.rows = at::randn({rows, width}).requires_grad_(),
          .weight = at::randn({classes, width}).requires_grad_(),
          .bias = at::randn({classes}).requires_grad_()};
}

std::vector<Tensor> gradients_after(const Tensor& loss, const Projection& student) {
  loss.backward();
  std::vector<Tensor> all;
  for (Tensor part : {student.rows, student.weight, student.bias}) {
    all.push_back(part.grad().clone());
    part.mutable_grad().reset();
  }
  return all;
}

bool is_near(const Tensor& a, const Tensor& b, double tolerance) {
  return (a - b).abs().max().item<double>() < tolerance * std::max(1.0, b.abs().max().item<double>());
}

}  // namespace

TEST_CASE("soft targets: the loss in chunks is that of all logits at once, and so are its gradients") {
  at::manual_seed(1);
  struct Case {
    int64_t rows, ids;
    bool weighted;
  };
  // 200,000 ids are chunks of 83 rows.
  for (const auto& [rows, ids, weighted] :
       {Case{7, 11, false}, Case{7, 11, true}, Case{90, 200'000, true}, Case{0, 11, false}}) {
    const Projection student = random_projection(rows, 3, ids);
    SoftTargets targets{.teacher = random_projection(rows, 2, ids), .temperature = 2.5};
    targets.weights = weighted ? at::rand({rows}) : Tensor();
    const Tensor fast = soft_target_loss(student, targets);
    const Tensor slow = soft_target_loss_reference(student, targets);
    CHECK(fast.item<double>() == Approx(slow.item<double>()).epsilon(1e-5).margin(1e-6));
    const std::vector<Tensor> quick = gradients_after(fast * 3, student);
    const std::vector<Tensor> right = gradients_after(slow * 3, student);
    for (size_t i = 0; rows > 0 && i < right.size(); ++i) {
      CHECK(is_near(quick[i], right[i], 1e-4));  // sums over 200,000 ids in float32
    }
    CHECK_FALSE(targets.teacher.rows.grad().defined());
  }
}

TEST_CASE("distillation: a term of labels and teacher, and one of the states of all positions") {
  Lesson given;
  CHECK(given.opened == 1);
  const Losses losses = given.losses();
  REQUIRE(losses.size() == 2);
  const SlotBatch& labeled = given.batch.slots[0];
  const Tensor states = given.student->hidden(given.batch.inputs);
  const Tensor theirs = given.told->hidden(given.batch.inputs).detach();
  const Tensor logits = given.student->logits(states.index_select(0, labeled.rows));
  const Tensor shares = (given.told->logits(theirs.index_select(0, labeled.rows)) / 2).softmax(1).detach();
  const Tensor hard = -logits.log_softmax(1).gather(1, labeled.labels.unsqueeze(1)).sum();
  const Tensor soft = 4 * (shares * (shares.log() - (logits / 2).log_softmax(1))).sum();
  CHECK(losses[0].sum.item<double>() == Approx((2 * hard + 5 * soft).item<double>()).epsilon(1e-5));
  CHECK(losses[0].weight == 1);
  CHECK(losses[1].sum.item<double>() ==
        Approx((1 - at::cosine_similarity(states, theirs, 1)).sum().item<double>()).epsilon(1e-5));
  CHECK(given.batch.slots[1].total == given.batch.inputs.ids.numel());
  const auto& metrics = losses[0].metrics;
  CHECK(metrics.at(0).first == "correct");
  CHECK(metrics.at(1).second.item<double>() == Approx(hard.item<double>()).epsilon(1e-5));
  CHECK(metrics.at(2).second.item<double>() == Approx(soft.item<double>()).epsilon(1e-5));
}

TEST_CASE("distillation: the student learns and the teacher stays as it is") {
  Lesson given({{"label_weight", 0.0}, {"soft_weight", 1.0}});
  CHECK(given.objective->parameters().empty());
  CHECK(given.objective->further_models().at(0).name == "teacher");
  const Overfit result = overfit(*given.objective, *given.student, given.batch);
  CHECK(result.last < 0.6 * result.first);
  for (const Tensor& weight : given.told->parameters()) {
    CHECK_FALSE(weight.grad().defined());
  }
}

TEST_CASE("distillation: nothing is to be learned of oneself") {
  Lesson given({{"label_weight", 0.0}});
  const auto own = given.student->named_parameters();
  for (const auto& item : given.told->named_parameters()) {
    Tensor weight = item.value;
    weight.detach().copy_(own[item.name].detach());
  }
  for (const LossTerm& term : given.losses()) {
    CHECK(std::abs(term.sum.item<double>()) < 1e-4);
  }
}

TEST_CASE("distillation: a run that is only asked opens its teacher when its loss is computed") {
  Lesson asked({}, {.is_asked = true});
  CHECK(asked.opened == 0);
  CHECK(asked.objective->further_models().empty());
  CHECK(asked.losses()[0].sum.equal(Lesson().losses()[0].sum));
  asked.losses();
  CHECK(asked.opened == 1);
}

TEST_CASE("distillation: what cannot work is refused") {
  CHECK_THROWS_WITH(Lesson({}, {.architecture = Architecture::decoder_only}),
                    Contains("teacher: runs/bert is of another architecture than this run's model"));
  CHECK_THROWS_WITH(Lesson({}, {.width = 8}),
                    Contains("width 8 and this run's model of 16") && Contains("state_weight: 0"));
  CHECK(Lesson({{"state_weight", 0.0}}, {.width = 8}).losses().size() == 1);
  CHECK_THROWS_WITH(Lesson({{"type", std::string("replaced_token_detection")}}),
                    Contains("objective: replaced_token_detection does not predict tokens and nothing else"));
  CHECK_THROWS_WITH(Lesson({{"soft_weight", 0.0}, {"label_weight", 0.0}, {"state_weight", 0.0}}),
                    Contains("so nothing is learned"));
}
