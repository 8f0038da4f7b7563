#include <cmath>
#include <limits>

#include <ATen/Parallel.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/optimizers/parts/gradients.h"
#include "train/rules.h"

using namespace lmzoo;
using test::make_rule;

namespace {

Tensor parameter(const Tensor& values) { return values.clone().set_requires_grad(true); }

// The formula of tests/golden/adamw.py.
Tensor values(at::IntArrayRef shape, double seed) {
  Tensor out = at::zeros(shape, at::kDouble);
  for (int64_t i = 0; i < out.numel(); ++i) {
    out.mutable_data_ptr<double>()[i] = std::sin(seed + 0.7 * static_cast<double>(i));
  }
  return out;
}

double largest_error(const Tensor& tensor, const Json& expected) {
  double worst = 0;
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    const double right = expected.at(static_cast<size_t>(i)).get<double>();
    worst = std::max(worst, std::abs(tensor.const_data_ptr<double>()[i] - right) / (1 + std::abs(right)));
  }
  return worst;
}

const Tensor kFine = at::zeros({}, at::kDouble);

constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEps = 1e-8;  // the defaults

// AdamW as the paper writes it, one number at a time.
struct SlowAdamW {
  std::vector<double> weights, means, squares;
  int64_t count = 0;

  void step(double lr, double decay, const std::vector<double>& gradients) {
    means.resize(weights.size());
    squares.resize(weights.size());
    ++count;
    for (size_t i = 0; i < weights.size(); ++i) {
      means[i] = kBeta1 * means[i] + (1 - kBeta1) * gradients[i];
      squares[i] = kBeta2 * squares[i] + (1 - kBeta2) * gradients[i] * gradients[i];
      const double mean = means[i] / (1 - std::pow(kBeta1, count));
      const double square = squares[i] / (1 - std::pow(kBeta2, count));
      weights[i] -= lr * (mean / (std::sqrt(square) + kEps) + decay * weights[i]);
    }
  }
};

}  // namespace

TEST_CASE("the optimizer follows torch.optim.AdamW with clip_grad_norm_ in float64") {
  const Json golden = read_json(test::golden("adamw.json"));
  const Tensor matrix = parameter(values({3, 4}, 1)), bias = parameter(values({3}, 2));
  const auto optimizer = make_rule("adamw",
                                   {.parameters = {{"matrix", matrix}, {"bias", bias}}, .clip_norm = 1.5},
                                   "{weight_decay: 0.1, beta2: 0.98, eps: 1.0e-9}");
  int64_t step = 0;
  for (const Json& row : golden.at("rows")) {
    Optimizer::Update update;
    while (step < row.at("step").get<int64_t>()) {
      ++step;
      const double size = 0.1 + std::abs(std::sin(0.05 * static_cast<double>(step)));
      // Sums over 8 labels: the optimizer divides.
      matrix.mutable_grad() = values({3, 4}, 3.0 + static_cast<double>(step)) * size * 8;
      bias.mutable_grad() = values({3}, 5.0 - static_cast<double>(step)) * size * 8;
      update = optimizer->step(0.02 / (1 + 0.01 * static_cast<double>(step)), 8, kFine);
    }
    CAPTURE(step);
    CHECK(update.grad_norm.item<double>() == Approx(row.at("norm").get<double>()).epsilon(1e-6));
    CHECK(largest_error(matrix, row.at("matrix")) < 1e-6);
    CHECK(largest_error(bias, row.at("bias")) < 1e-6);
  }
}

TEST_CASE("the optimizer follows the formula of the paper, and vectors do not decay") {
  const Tensor matrix = parameter(values({2, 3}, 1)), bias = parameter(values({6}, 1));
  const auto optimizer =
      make_rule("adamw", {.parameters = {{"matrix", matrix}, {"bias", bias}}}, "{weight_decay: 0.3}");
  SlowAdamW decayed, plain;
  const auto numbers = [](const Tensor& t) {
    return std::vector<double>(t.const_data_ptr<double>(), t.const_data_ptr<double>() + t.numel());
  };
  decayed.weights = plain.weights = numbers(bias);
  for (int step = 0; step < 20; ++step) {
    const Tensor gradient = values({6}, step * 1.3);
    matrix.mutable_grad() = gradient.reshape({2, 3}).clone();
    bias.mutable_grad() = gradient.clone();
    optimizer->step(0.05, 1, kFine);
    decayed.step(0.05, 0.3, numbers(gradient));
    plain.step(0.05, 0, numbers(gradient));
  }
  for (int64_t i = 0; i < 6; ++i) {
    CHECK(matrix.const_data_ptr<double>()[i] == Approx(decayed.weights[i]).epsilon(1e-9));
    CHECK(bias.const_data_ptr<double>()[i] == Approx(plain.weights[i]).epsilon(1e-9));
  }
}

TEST_CASE("with scale_by_rms a tensor's learning rate is relative to its root mean square, at least 1e-3") {
  const auto numbers = [](const Tensor& t) {
    return std::vector<double>(t.const_data_ptr<double>(), t.const_data_ptr<double>() + t.numel());
  };
  const Tensor large = parameter(values({2, 3}, 1) * 40), zero = parameter(at::zeros({6}, at::kDouble));
  const auto optimizer = make_rule(
      "adamw", {.parameters = {{"large", large}, {"zero", zero}}}, "{weight_decay: 0.3, scale_by_rms: true}");
  SlowAdamW slow_large{numbers(large), {}, {}}, slow_zero{numbers(zero), {}, {}};
  const auto rms = [](const SlowAdamW& slow) {
    double squares = 0;
    for (const double w : slow.weights) {
      squares += w * w;
    }
    return std::max(1e-3, std::sqrt(squares / static_cast<double>(slow.weights.size())));
  };
  for (int step = 0; step < 20; ++step) {
    const Tensor gradient = values({6}, step * 1.3);
    large.mutable_grad() = gradient.reshape({2, 3}).clone();
    zero.mutable_grad() = gradient.clone();
    optimizer->step(0.05, 1, kFine);
    slow_large.step(0.05 * rms(slow_large), 0.3, numbers(gradient));
    slow_zero.step(0.05 * rms(slow_zero), 0, numbers(gradient));
  }
  for (int64_t i = 0; i < 6; ++i) {
    CHECK(large.const_data_ptr<double>()[i] == Approx(slow_large.weights[i]).epsilon(1e-6));
    CHECK(zero.const_data_ptr<double>()[i] == Approx(slow_zero.weights[i]).epsilon(1e-6));
  }
}

TEST_CASE("a parameter with a rate of its own moves as if the learning rate were multiplied") {
  const auto move = [](double lr, std::vector<double> rates) {
    const Tensor matrix = parameter(values({2, 3}, 1)), bias = parameter(values({3}, 2));
    const auto optimizer = make_rule(
        "adamw",
        {.parameters = {{"matrix", matrix}, {"bias", bias}}, .rates = std::move(rates), .clip_norm = 0.5},
        "{weight_decay: 0.3}");
    for (int step = 0; step < 5; ++step) {
      matrix.mutable_grad() = values({2, 3}, step * 1.3);
      bias.mutable_grad() = values({3}, step * 0.4);
      optimizer->step(lr, 1, kFine);
    }
    return std::pair{matrix, bias};
  };
  const auto plain = move(0.05, {}), ones = move(0.05, {1, 1}), slow = move(0.05, {0.2, 1});
  CHECK(ones.first.equal(plain.first));
  CHECK(ones.second.equal(plain.second));
  CHECK(slow.first.allclose(move(0.05 * 0.2, {}).first, 1e-12, 1e-15));
  CHECK(slow.second.equal(plain.second));
}

TEST_CASE("a step that is not finite changes nothing, and the next one is as if it had not been") {
  const auto run = [](int poisoned, double poison_gradient, double poison_loss) {
    const Tensor weight = parameter(values({3, 2}, 1)).to(at::kFloat).detach().set_requires_grad(true);
    const auto optimizer = make_rule("adamw", {.parameters = {{"weight", weight}}, .clip_norm = 1});
    for (int step = 0, done = 0; done < 4; ++step) {
      Tensor gradient = values({3, 2}, done).to(at::kFloat), loss = at::zeros({}, at::kDouble);
      if (step == poisoned) {
        gradient[1][1] += poison_gradient;
        loss += poison_loss;
      }
      weight.mutable_grad() = gradient;
      const Tensor before = weight.detach().clone();
      const Optimizer::Update update = optimizer->step(0.1, 1, loss);
      CHECK(update.skipped.item<double>() == (step == poisoned ? 1 : 0));
      CHECK(weight.equal(before) == (step == poisoned));
      CHECK_FALSE(weight.grad().defined());
      done += step != poisoned;
    }
    NamedTensors state = optimizer->state();
    CHECK(state.back().name == "weight.step");
    CHECK(state.back().tensor.item<double>() == 4);
    state.push_back({"weight", weight});
    return state;
  };
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const NamedTensors clean = run(-1, 0, 0);
  for (const auto& [gradient, loss] :
       {std::pair{nan, 0.0}, {infinity, 0.0}, {-infinity, 0.0}, {0.0, nan}, {0.0, infinity}}) {
    for (const int poisoned : {0, 2}) {
      const NamedTensors skipped = run(poisoned, gradient, loss);
      for (size_t i = 0; i < clean.size(); ++i) {
        CHECK(clean[i].tensor.equal(skipped[i].tensor));
      }
    }
  }
}

TEST_CASE("a parameter without a gradient stays, and its count of updates, too") {
  const Tensor used = parameter(values({2, 2}, 1)), unused = parameter(values({2, 2}, 2));
  const auto optimizer =
      make_rule("adamw", {.parameters = {{"used", used}, {"unused", unused}}, .clip_norm = 1});
  used.mutable_grad() = values({2, 2}, 3);
  optimizer->step(0.1, 1, kFine);
  CHECK(unused.equal(values({2, 2}, 2)));
  CHECK_FALSE(used.equal(values({2, 2}, 1)));
  CHECK(optimizer->state()[2].tensor.item<double>() == 1);
  CHECK(optimizer->state()[5].tensor.item<double>() == 0);
}

TEST_CASE("a step without any gradient or label does nothing and is not an error") {
  const Tensor weight = parameter(values({2, 2}, 1));
  const auto optimizer = make_rule("adamw", {.parameters = {{"weight", weight}}, .clip_norm = 1});
  const Optimizer::Update update = optimizer->step(0.1, 0, kFine);
  CHECK(update.grad_norm.item<double>() == 0);
  CHECK(update.skipped.item<double>() == 0);
  CHECK(weight.equal(values({2, 2}, 1)));
}

TEST_CASE("the global norm is exact, of any layout, and has the same bits for any number of threads") {
  std::vector<Tensor> tensors{at::randn({300, 517}),
                              at::randn({1}),
                              at::randn({65'537}),
                              at::randn({40, 30}).t(),
                              at::randn({40, 60}).slice(1, 0, 60, 2),
                              at::zeros({0})};
  double squares = 0;
  for (const Tensor& tensor : tensors) {
    squares += at::linalg_vector_norm(tensor.to(at::kDouble)).square().item<double>();
  }
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Tensor alone = global_norm(tensors);
  at::set_num_threads(3);
  const Tensor together = global_norm(tensors);
  at::set_num_threads(threads);
  CHECK(alone.item<double>() == Approx(std::sqrt(squares)).epsilon(1e-6));
  CHECK(alone.equal(together));
  CHECK(global_norm({}).item<double>() == 0);
  // Types that have no fast path.
  tensors = {at::randn({10, 10}).to(at::kBFloat16), at::randn({3})};
  const Tensor joined = at::cat({tensors[0].to(at::kDouble).flatten(), tensors[1].to(at::kDouble)});
  CHECK(global_norm(tensors).item<double>() ==
        Approx(at::linalg_vector_norm(joined).item<double>()).epsilon(1e-2));
}

TEST_CASE(
    "a count may be a sum of weights: gradients are divided by just that, and by nothing when it is 0") {
  const auto moved = [](double factor, double count) {
    const Tensor weight = parameter(values({2, 2}, 1));
    const auto optimizer = make_rule("adamw", {.parameters = {{"weight", weight}}, .clip_norm = 0.1});
    weight.mutable_grad() = values({2, 2}, 3) * factor;
    const Optimizer::Update update = optimizer->step(0.1, count, kFine);
    return std::pair{weight.detach().clone(), update.grad_norm.item<double>()};
  };
  const auto whole = moved(1, 1), part = moved(0.375, 0.375), none = moved(1, 0);
  CHECK(part.first.allclose(whole.first, 1e-6, 1e-9));
  CHECK(part.second == Approx(whole.second).epsilon(1e-6));
  CHECK(none.second == Approx(whole.second).epsilon(1e-6));
}

TEST_CASE("a rule states what it holds, with and without memory behind the tensors") {
  const Tensor weight = parameter(at::zeros({100, 30}));
  const auto optimizer = make_rule("adamw", {.parameters = {{"weight", weight}}});
  CHECK(optimizer->memory_bytes() == 2 * 4 * 3000 + 4);
  const Tensor planned = at::empty({int64_t{1} << 40, 16}, at::TensorOptions(at::kMeta).dtype(at::kFloat));
  const auto large = make_rule("adamw", {.parameters = {{"planned", planned}}});
  CHECK(large->memory_bytes() == 2 * 4 * (int64_t{1} << 44) + 4);
}

TEST_CASE("word vectors move by themselves: their rule has a name and makes nothing") {
  CHECK_THROWS_WITH(make_rule("sgd", {}), "sgd is for model word2vec");
  CHECK_THROWS_WITH(make_rule("adamx", {}),
                    "no optimizer 'adamx'; known: adamw, sgd (did you mean 'adamw'?)");
}
