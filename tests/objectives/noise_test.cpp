#include "objectives/parts/noise.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

TEST_CASE("halves are rounded to even") {
  CHECK(round_half_even(4.5) == 4);
  CHECK(round_half_even(5.5) == 6);
  CHECK(round_half_even(0.5) == 0);
  CHECK(round_half_even(4.4999) == 4);
  CHECK(round_half_even(0.15 * 30) == 4);  // std::round gives 5
}

TEST_CASE("exactly so many candidates are chosen, in order, or all when there are fewer") {
  const std::vector<int64_t> candidates{3, 5, 8, 13, 21};
  for (int64_t count = 0; count <= 7; ++count) {
    Stream stream = stream_of(count);
    const std::vector<int64_t> chosen = choose_exactly(candidates, count, stream);
    CHECK(std::ssize(chosen) == std::min<int64_t>(count, 5));
    CHECK(std::is_sorted(chosen.begin(), chosen.end()));
    CHECK(std::includes(candidates.begin(), candidates.end(), chosen.begin(), chosen.end()));
  }
}

TEST_CASE("every subset is equally likely") {
  const std::vector<int64_t> candidates{0, 1, 2, 3, 4};
  Stream stream = stream_of(0);
  std::vector<int64_t> seen(25, 0);
  for (int i = 0; i < 100'000; ++i) {
    const std::vector<int64_t> pair = choose_exactly(candidates, 2, stream);
    ++seen[pair[0] * 5 + pair[1]];
  }
  std::erase(seen, 0);
  REQUIRE(seen.size() == 10);
  CHECK(chi_squared(seen, std::vector<double>(10, 0.1)) < chi_squared_limit(9));
}

TEST_CASE("each candidate is chosen with the rate") {
  std::vector<int64_t> candidates(1'000'000);
  std::iota(candidates.begin(), candidates.end(), 0);
  Stream stream = stream_of(1);
  const std::vector<int64_t> chosen = choose_each(candidates, 0.15, stream);
  CHECK(std::abs(static_cast<double>(chosen.size()) - 150'000) < five_sigma(1e6, 0.15));
  CHECK(choose_each(candidates, 0, stream).empty());
}

TEST_CASE("of a million tokens 80, 10 and 10 % are masked, random and kept, and random ids are uniform") {
  constexpr int64_t trials = 1'000'000;
  constexpr int64_t original = 50;  // outside the vocabulary of the draws, so that kept and random differ
  const Replacement replacement{.mask = 60, .vocabulary_size = 40};
  Stream stream = stream_of(2);
  int64_t masked = 0;
  int64_t kept = 0;
  std::vector<int64_t> random(40, 0);
  for (const int64_t id : draw_replacements(std::vector<int64_t>(trials, original), replacement, stream)) {
    masked += id == replacement.mask ? 1 : 0;
    kept += id == original ? 1 : 0;
    if (id < 40) {
      ++random.at(id);
    }
  }
  const int64_t drawn = std::accumulate(random.begin(), random.end(), int64_t{0});
  CHECK(masked + kept + drawn == trials);
  CHECK(std::abs(static_cast<double>(masked) - 0.8 * trials) < five_sigma(trials, 0.8));
  CHECK(std::abs(static_cast<double>(kept) - 0.1 * trials) < five_sigma(trials, 0.1));
  CHECK(std::abs(static_cast<double>(drawn) - 0.1 * trials) < five_sigma(trials, 0.1));
  CHECK(chi_squared(random, std::vector<double>(40, 1.0 / 40)) < chi_squared_limit(39));
}

TEST_CASE("shares of one and zero are exact") {
  Stream stream = stream_of(3);
  const std::vector<int64_t> originals(1000, 7);
  const auto all = [&](double mask_share, double random_share) {
    return draw_replacements(
        originals,
        {.mask = 9, .vocabulary_size = 5, .mask_share = mask_share, .random_share = random_share},
        stream);
  };
  CHECK(all(1, 0) == std::vector<int64_t>(1000, 9));
  CHECK(all(0, 0) == originals);
  const std::vector<int64_t> random = all(0, 1);
  CHECK(std::all_of(random.begin(), random.end(), [](int64_t id) { return id >= 0 && id < 5; }));
}

TEST_CASE("replaced tokens: the worked example") {
  const std::vector<int64_t> ids{101, 1996, 4248, 2829, 4419, 14523, 2058, 1996, 13971, 3899, 102};
  const MaskedText example = replace_tokens(ids, {3, 4, 9}, std::vector<int64_t>{103, 2829, 3899});
  CHECK(example.ids == std::vector<int64_t>{101, 1996, 4248, 103, 2829, 14523, 2058, 1996, 13971, 3899, 102});
  CHECK(example.positions == std::vector<int64_t>{3, 4, 9});
  CHECK(example.labels == std::vector<int64_t>{2829, 4419, 3899});
}

TEST_CASE("replacements and positions must agree") {
  CHECK_THROWS_AS(replace_tokens({1, 2}, {0}, std::vector<int64_t>{}), std::logic_error);
  CHECK_THROWS_AS(replace_tokens({1, 2}, {2}, std::vector<int64_t>{5}), std::out_of_range);
}
