#include "nn/positions.h"

#include <cmath>

#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include "model_support.h"
#include "nn/kernels/attention.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// Distances at which a bucket begins: {distance, bucket} in ascending order.
using Border = std::pair<int64_t, int64_t>;

void check_borders(const std::vector<Border>& borders, int64_t sign, const RelativeOptions& options) {
  size_t current = 0;
  for (int64_t distance = borders.front().first; distance <= 300; ++distance) {
    if (current + 1 < borders.size() && distance == borders[current + 1].first) {
      ++current;
    }
    INFO("distance " << sign * distance);
    CHECK(relative_bucket(sign * distance, options) == borders[current].second);
  }
}

}  // namespace

TEST_CASE("relative buckets of an encoder are T5's table") {
  const RelativeOptions options;
  const std::vector<Border> past{{0, 0},
                                 {1, 1},
                                 {2, 2},
                                 {3, 3},
                                 {4, 4},
                                 {5, 5},
                                 {6, 6},
                                 {7, 7},
                                 {8, 8},
                                 {12, 9},
                                 {16, 10},
                                 {23, 11},
                                 {32, 12},
                                 {46, 13},
                                 {64, 14},
                                 {91, 15}};
  check_borders(past, -1, options);
  std::vector<Border> future;
  for (const auto& [distance, bucket] : past) {
    future.emplace_back(distance, bucket + 16);
  }
  future.front() = {1, 17};
  future.erase(future.begin() + 1);
  check_borders(future, 1, options);
}

TEST_CASE("relative buckets of a decoder are T5's table, and the future has bucket 0") {
  const RelativeOptions options{.bidirectional = false};
  std::vector<Border> past;
  for (int64_t distance = 0; distance <= 16; ++distance) {
    past.emplace_back(distance, distance);
  }
  for (const Border& border : std::vector<Border>{{19, 17},
                                                  {21, 18},
                                                  {24, 19},
                                                  {27, 20},
                                                  {31, 21},
                                                  {35, 22},
                                                  {40, 23},
                                                  {46, 24},
                                                  {52, 25},
                                                  {59, 26},
                                                  {67, 27},
                                                  {77, 28},
                                                  {87, 29},
                                                  {99, 30},
                                                  {113, 31}}) {
    past.push_back(border);
  }
  check_borders(past, -1, options);
  CHECK(relative_bucket(1, options) == 0);
  CHECK(relative_bucket(200, options) == 0);
}

TEST_CASE("the relative bias stands at S-1 + (key - query)") {
  RelativeBias bias(2, {.buckets = 8, .max_distance = 6, .bidirectional = true});
  randomize(bias);
  const Tensor relative = bias.forward(5);  // [2, 9]
  REQUIRE(relative.sizes() == at::IntArrayRef({2, 9}));
  for (int64_t distance = -4; distance <= 4; ++distance) {
    const int64_t bucket = relative_bucket(distance, {.buckets = 8, .max_distance = 6});
    CHECK(at::equal(relative.select(1, 4 + distance), bias.weight[bucket]));
  }
}

TEST_CASE("sinusoids have both published layouts") {
  const int64_t width = 6;
  const Tensor paper = sinusoids({0, 4}, width, PositionKind::sinusoidal);
  const Tensor halves = sinusoids({0, 4}, width, PositionKind::sinusoidal_halves);
  for (int64_t p = 0; p < 4; ++p) {
    for (int64_t i = 0; i < width / 2; ++i) {
      const double d = static_cast<double>(width);
      const double paper_angle = static_cast<double>(p) / std::pow(10000.0, 2.0 * static_cast<double>(i) / d);
      CHECK(paper[p][2 * i].item<double>() == Approx(std::sin(paper_angle)));
      CHECK(paper[p][2 * i + 1].item<double>() == Approx(std::cos(paper_angle)));
      const double halves_angle =
          static_cast<double>(p) * std::exp(-static_cast<double>(i) * std::log(10000.0) / (d / 2 - 1));
      CHECK(halves[p][i].item<double>() == Approx(std::sin(halves_angle)));
      CHECK(halves[p][i + width / 2].item<double>() == Approx(std::cos(halves_angle)));
    }
  }
}

TEST_CASE("a row of a position does not depend on what is packed with it") {
  for (const PositionKind kind :
       {PositionKind::learned, PositionKind::sinusoidal, PositionKind::sinusoidal_halves}) {
    INFO(name_of(kind));
    Positions positions({.kind = kind, .width = 8, .max_length = 9});
    randomize(positions);
    const Sequences alone = Sequences::uniform(1, 4);
    const Sequences many(std::vector<int64_t>{7, 4});
    const Tensor one = positions.rows(alone.positions(), alone.longest(), at::kFloat);
    const Tensor all = positions.rows(many.positions(), many.longest(), at::kFloat);
    CHECK(at::equal(one, all.slice(0, 7)));
    CHECK_FALSE(positions.rotation(alone.positions(), 4).angles.cos.defined());
  }
}

TEST_CASE("learned positions begin at the offset") {
  Positions positions({.kind = PositionKind::learned, .width = 4, .max_length = 5, .offset = 2});
  randomize(positions);
  CHECK(positions.weight.size(0) == 7);
  const Sequences sequences = Sequences::uniform(1, 5);
  CHECK(at::equal(positions.rows(sequences.positions(), 5, at::kFloat), positions.weight.slice(0, 2)));
}

TEST_CASE("rotary angles are float32, position times theta to the power of -2i/Dh") {
  const Positions positions(
      {.kind = PositionKind::rotary, .head_width = 6, .max_length = 1000, .theta = 500.0});
  const Tensor where = at::tensor({0, 1, 999}, at::kLong);
  const RotaryAngles angles = positions.rotation(where, 1000).angles;
  REQUIRE(angles.cos.scalar_type() == at::kFloat);
  REQUIRE(angles.cos.sizes() == at::IntArrayRef({3, 3}));
  CHECK_FALSE(positions.rows(where, 1000, at::kFloat).defined());
  for (int64_t n = 0; n < 3; ++n) {
    for (int64_t i = 0; i < 3; ++i) {
      const double angle =
          static_cast<double>(where[n].item<int64_t>()) * std::pow(500.0, -2.0 * static_cast<double>(i) / 6);
      CHECK(angles.cos[n][i].item<double>() == Approx(std::cos(angle)).margin(1e-4));
      CHECK(angles.sin[n][i].item<double>() == Approx(std::sin(angle)).margin(1e-4));
    }
  }
}

TEST_CASE("both rotary layouts turn pairs of channels, and scores depend on the distance only") {
  at::manual_seed(1);
  const Tensor q = at::randn({6});
  const Tensor k = at::randn({6});
  for (const PositionKind kind : {PositionKind::rotary, PositionKind::rotary_interleaved}) {
    INFO(name_of(kind));
    const Positions positions({.kind = kind, .head_width = 6, .max_length = 40});
    const Rotation rotation = positions.rotation(at::arange(40), 40);
    const auto turned = [&](const Tensor& x) {  // [40, 6]
      return rotate(x.expand({40, 1, 6}).contiguous(), 1, rotation.angles, rotation.layout).squeeze(1);
    };
    const Tensor queries = turned(q);
    const Tensor keys = turned(k);
    CHECK(queries[7].dot(keys[3]).item<double>() ==
          Approx(queries[39].dot(keys[35]).item<double>()).margin(1e-4));
    const bool halves = kind == PositionKind::rotary;
    for (int64_t i = 0; i < 3; ++i) {
      const int64_t first = halves ? i : 2 * i;
      const int64_t second = halves ? i + 3 : 2 * i + 1;
      const double angle = 5 * std::pow(10000.0, -2.0 * static_cast<double>(i) / 6);
      const double x = q[first].item<double>();
      const double y = q[second].item<double>();
      CHECK(queries[5][first].item<double>() ==
            Approx(x * std::cos(angle) - y * std::sin(angle)).margin(1e-5));
      CHECK(queries[5][second].item<double>() ==
            Approx(x * std::sin(angle) + y * std::cos(angle)).margin(1e-5));
    }
  }
}

TEST_CASE("a table is computed once, again for longer sequences, and its bits tell nothing of the order") {
  int64_t computed = 0;
  const auto rows = [&](const PositionRange& range) {
    computed += range.end - range.first;
    return rotary_table(range, 10, 10000).cos();
  };
  PositionTable table(rows);
  const Tensor where = at::tensor({0, 3, 511}, at::kLong);
  const Tensor first = table.pick(where, 512, at::kFloat);
  CHECK(computed == 512);
  CHECK(at::equal(first, rotary_table({0, 512}, 10, 10000).cos().index_select(0, where)));
  CHECK(at::equal(table.pick(where.slice(0, 0, 2), 4, at::kFloat), first.slice(0, 0, 2)));
  CHECK(computed == 512);
  const Tensor far = at::tensor({3, 1500}, at::kLong);
  PositionTable other(rows);
  const Tensor of_longer = other.pick(far, 1501, at::kFloat);
  CHECK(computed == 512 + 2048);
  CHECK(at::equal(of_longer[0], first[1]));
  CHECK(at::equal(table.pick(far, 1501, at::kFloat), of_longer));
  CHECK(table.pick(far, 1501, at::kDouble).scalar_type() == at::kDouble);
}

TEST_CASE("a relative bias of a longer stack continues that of a shorter one") {
  RelativeBias bias(2, {.buckets = 8, .max_distance = 600});
  randomize(bias);
  const Tensor near = bias.forward(5).clone();    // [2, 9]
  const Tensor far = bias.forward(700).detach();  // [2, 1399]
  CHECK(at::equal(far.narrow(1, 699 - 4, 9), near));
  CHECK(at::equal(bias.forward(5), near));
  for (const int64_t distance : {-699, -513, 512, 699}) {
    const int64_t bucket = relative_bucket(distance, {.buckets = 8, .max_distance = 600});
    CHECK(at::equal(far.select(1, 699 + distance), bias.weight[bucket]));
  }
}
