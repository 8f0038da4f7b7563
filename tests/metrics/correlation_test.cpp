#include "metrics/correlation.h"

#include "metrics/golden.h"
#include "support/catch.h"

using namespace lmzoo;

TEST_CASE("correlations are scipy's, ties and constant lists included") {
  for (const Json& one : test::golden_metrics("correlation")) {
    const auto a = one["a"].get<std::vector<double>>(), b = one["b"].get<std::vector<double>>();
    INFO(one.dump());
    CHECK(test::near(pearson(a, b), one["pearson"]));
    CHECK(test::near(spearman(a, b), one["spearman"]));
  }
}

TEST_CASE("correlation of rising numbers is 1, and of constant or no numbers is none") {
  CHECK(spearman(std::vector<double>{1, 2, 3}, std::vector<double>{10, 100, 1000}) == Approx(1));
  CHECK(std::isnan(spearman(std::vector<double>{1, 1}, std::vector<double>{1, 2})));
  CHECK(std::isnan(pearson({}, {})));
  CHECK(ranks(std::vector<double>{5, 1, 5, 9}) == std::vector<double>{2.5, 1, 2.5, 4});
}
