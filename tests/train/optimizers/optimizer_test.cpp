#include "core/optimizer.h"

#include <cmath>
#include <limits>

#include <ATen/Parallel.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

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

double largest_difference(const Tensor& tensor, const Json& expected) {
  double worst = 0;
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    const double right = expected.at(static_cast<size_t>(i)).get<double>();
    worst = std::max(worst, std::abs(tensor.const_data_ptr<double>()[i] - right) / (1 + std::abs(right)));
  }
  return worst;
}

const Tensor kFine = at::zeros({}, at::kDouble);

// AdamW as the paper writes it, one number at a time.
struct SlowAdamW {
  OptimizerOptions options;
  std::vector<double> weights, means, squares;
  int64_t count = 0;

  void step(double lr, double decay, const std::vector<double>& gradients) {
    means.resize(weights.size());
    squares.resize(weights.size());
    ++count;
    for (size_t i = 0; i < weights.size(); ++i) {
      means[i] = options.beta1 * means[i] + (1 - options.beta1) * gradients[i];
      squares[i] = options.beta2 * squares[i] + (1 - options.beta2) * gradients[i] * gradients[i];
      const double mean = means[i] / (1 - std::pow(options.beta1, count));
      const double square = squares[i] / (1 - std::pow(options.beta2, count));
      weights[i] -= lr * (mean / (std::sqrt(square) + options.eps) + decay * weights[i]);
    }
  }
};

}  // namespace

TEST_CASE("the optimizer follows torch.optim.AdamW with clip_grad_norm_ in float64") {
  const Json golden = read_json(test::golden("adamw.json"));
  const Tensor matrix = parameter(values({3, 4}, 1)), bias = parameter(values({3}, 2));
  Optimizer optimizer({{"matrix", matrix}, {"bias", bias}},
                      {.weight_decay = 0.1, .beta2 = 0.98, .eps = 1e-9, .clip_norm = 1.5});
  int64_t step = 0;
  for (const Json& row : golden.at("rows")) {
    Optimizer::Update update;
    while (step < row.at("step").get<int64_t>()) {
      ++step;
      const double size = 0.1 + std::abs(std::sin(0.05 * static_cast<double>(step)));
      // Sums over 8 labels: the optimizer divides.
      matrix.mutable_grad() = values({3, 4}, 3.0 + static_cast<double>(step)) * size * 8;
      bias.mutable_grad() = values({3}, 5.0 - static_cast<double>(step)) * size * 8;
      update = optimizer.step(0.02 / (1 + 0.01 * static_cast<double>(step)), 8, kFine);
    }
    CAPTURE(step);
    CHECK(update.grad_norm.item<double>() == Approx(row.at("norm").get<double>()).epsilon(1e-6));
    CHECK(largest_difference(matrix, row.at("matrix")) < 1e-6);
    CHECK(largest_difference(bias, row.at("bias")) < 1e-6);
  }
}

TEST_CASE("the optimizer follows the formula of the paper, and vectors do not decay") {
  const OptimizerOptions options{.weight_decay = 0.3, .clip_norm = 0};
  const Tensor matrix = parameter(values({2, 3}, 1)), bias = parameter(values({6}, 1));
  Optimizer optimizer({{"matrix", matrix}, {"bias", bias}}, options);
  SlowAdamW decayed{options, {}, {}, {}}, plain = decayed;
  const auto numbers = [](const Tensor& t) {
    return std::vector<double>(t.const_data_ptr<double>(), t.const_data_ptr<double>() + t.numel());
  };
  decayed.weights = plain.weights = numbers(bias);
  for (int step = 0; step < 20; ++step) {
    const Tensor gradient = values({6}, step * 1.3);
    matrix.mutable_grad() = gradient.reshape({2, 3}).clone();
    bias.mutable_grad() = gradient.clone();
    optimizer.step(0.05, 1, kFine);
    decayed.step(0.05, options.weight_decay, numbers(gradient));
    plain.step(0.05, 0, numbers(gradient));
  }
  for (int64_t i = 0; i < 6; ++i) {
    CHECK(matrix.const_data_ptr<double>()[i] == Approx(decayed.weights[i]).epsilon(1e-9));
    CHECK(bias.const_data_ptr<double>()[i] == Approx(plain.weights[i]).epsilon(1e-9));
  }
}

TEST_CASE("with scale_by_rms a tensor's learning rate is relative to its root mean square, at least 1e-3") {
  const OptimizerOptions options{.weight_decay = 0.3, .scale_by_rms = true, .clip_norm = 0};
  const auto numbers = [](const Tensor& t) {
    return std::vector<double>(t.const_data_ptr<double>(), t.const_data_ptr<double>() + t.numel());
  };
  const Tensor large = parameter(values({2, 3}, 1) * 40), zero = parameter(at::zeros({6}, at::kDouble));
  Optimizer optimizer({{"large", large}, {"zero", zero}}, options);
  SlowAdamW slow_large{options, numbers(large), {}, {}}, slow_zero{options, numbers(zero), {}, {}};
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
    optimizer.step(0.05, 1, kFine);
    slow_large.step(0.05 * rms(slow_large), options.weight_decay, numbers(gradient));
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
    Optimizer optimizer(
        {{"matrix", matrix}, {"bias", bias}}, {.weight_decay = 0.3, .clip_norm = 0.5}, std::move(rates));
    for (int step = 0; step < 5; ++step) {
      matrix.mutable_grad() = values({2, 3}, step * 1.3);
      bias.mutable_grad() = values({3}, step * 0.4);
      optimizer.step(lr, 1, kFine);
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
    Optimizer optimizer({{"weight", weight}}, {});
    for (int step = 0, done = 0; done < 4; ++step) {
      Tensor gradient = values({3, 2}, done).to(at::kFloat), loss = at::zeros({}, at::kDouble);
      if (step == poisoned) {
        gradient[1][1] += poison_gradient;
        loss += poison_loss;
      }
      weight.mutable_grad() = gradient;
      const Tensor before = weight.detach().clone();
      const Optimizer::Update update = optimizer.step(0.1, 1, loss);
      CHECK(update.skipped.item<double>() == (step == poisoned ? 1 : 0));
      CHECK(weight.equal(before) == (step == poisoned));
      CHECK_FALSE(weight.grad().defined());
      done += step != poisoned;
    }
    NamedTensors state = optimizer.state();
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
  Optimizer optimizer({{"used", used}, {"unused", unused}}, {});
  used.mutable_grad() = values({2, 2}, 3);
  optimizer.step(0.1, 1, kFine);
  CHECK(unused.equal(values({2, 2}, 2)));
  CHECK_FALSE(used.equal(values({2, 2}, 1)));
  CHECK(optimizer.state()[2].tensor.item<double>() == 1);
  CHECK(optimizer.state()[5].tensor.item<double>() == 0);
}

TEST_CASE("a step without any gradient or label does nothing and is not an error") {
  const Tensor weight = parameter(values({2, 2}, 1));
  Optimizer optimizer({{"weight", weight}}, {});
  const Optimizer::Update update = optimizer.step(0.1, 0, kFine);
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
  CHECK(global_norm(tensors).item<double>() > 0);
}
