#include "infer/decode/sampling.h"

#include <cmath>
#include <limits>

#include "support/catch.h"

using namespace lmzoo;

namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

std::vector<int64_t> ids_of(const std::vector<Candidate>& among) {
  std::vector<int64_t> ids;
  for (const Candidate& candidate : among) {
    ids.push_back(candidate.id);
  }
  return ids;
}

double total(const std::vector<Candidate>& among) {
  double sum = 0;
  for (const Candidate& candidate : among) {
    sum += candidate.probability;
  }
  return sum;
}

}  // namespace

TEST_CASE("greedy leaves the most probable token, the lower id of a tie") {
  const std::vector<float> logits{1, 3, 3, 2};
  CHECK(ids_of(candidates(logits, {.temperature = 0, .top_k = {}, .top_p = {}})) == std::vector<int64_t>{1});
}

TEST_CASE("temperature one is the softmax, in descending order") {
  const std::vector<float> logits{std::log(0.2F), std::log(0.5F), std::log(0.3F)};
  const std::vector<Candidate> among = candidates(logits, {});
  CHECK(ids_of(among) == std::vector<int64_t>{1, 2, 0});
  CHECK(among[0].probability == Approx(0.5));
  CHECK(among[2].probability == Approx(0.2));
}

TEST_CASE("a higher temperature flattens, a lower one sharpens") {
  const std::vector<float> logits{0, std::log(4.0F)};
  CHECK(candidates(logits, {.temperature = 2, .top_k = {}, .top_p = {}})[0].probability == Approx(2.0 / 3));
  CHECK(candidates(logits, {.temperature = 0.5, .top_k = {}, .top_p = {}})[0].probability ==
        Approx(16.0 / 17));
}

TEST_CASE("top-k and top-p keep the fewest and renormalize") {
  const std::vector<float> logits{std::log(0.1F), std::log(0.4F), std::log(0.2F), std::log(0.3F)};
  const std::vector<Candidate> two = candidates(logits, {.temperature = 1, .top_k = 2, .top_p = {}});
  CHECK(ids_of(two) == std::vector<int64_t>{1, 3});
  CHECK(two[0].probability == Approx(4.0 / 7));
  CHECK(ids_of(candidates(logits, {.temperature = 1, .top_k = {}, .top_p = 0.65})) ==
        std::vector<int64_t>{1, 3});
  CHECK(ids_of(candidates(logits, {.temperature = 1, .top_k = {}, .top_p = 0.75})) ==
        std::vector<int64_t>{1, 3, 2});
  CHECK(ids_of(candidates(logits, {.temperature = 1, .top_k = {}, .top_p = 0.01})) ==
        std::vector<int64_t>{1});
  CHECK(total(candidates(logits, {.temperature = 1, .top_k = 3, .top_p = 0.9})) == Approx(1));
}

TEST_CASE("a forbidden token is never left, and a row without any finite logit is an error") {
  CHECK(ids_of(candidates(std::vector<float>{kNever, 1, 0}, {})) == std::vector<int64_t>{1, 2});
  CHECK_THROWS_WITH(candidates(std::vector<float>{kNever, kNever}, {}),
                    "no token has a finite logit: the model's output is not a number");
}

TEST_CASE("draws follow the probabilities within five sigma") {
  const std::vector<Candidate> among{{7, 0.5}, {3, 0.3}, {9, 0.2}};
  Stream stream({.seed = 5, .epoch = 0, .sample = 0, .purpose = Purpose::sampling});
  constexpr int kDraws = 100'000;
  int threes = 0;
  for (int i = 0; i < kDraws; ++i) {
    threes += draw(among, stream) == 3 ? 1 : 0;
  }
  CHECK(std::abs(threes - 0.3 * kDraws) < 5 * std::sqrt(kDraws * 0.3 * 0.7));
}
