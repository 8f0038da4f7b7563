#include "metrics/evidence.h"

#include <cmath>

#include "support/catch.h"

using namespace lmzoo;

namespace {

// Of an even number of degrees the tail is a finite sum: e^(-x/2) Σ (x/2)^i / i! for i < degrees / 2.
double tail_of_even(double x, int64_t degrees) {
  double term = std::exp(-x / 2);
  double sum = 0;
  for (int64_t i = 0; i < degrees / 2; ++i) {
    sum += term;
    term *= x / 2 / static_cast<double>(i + 1);
  }
  return sum;
}

}  // namespace

TEST_CASE("the tail of chi-square equals its finite sum and, of one degree, the normal tail") {
  for (const int64_t degrees : {2, 4, 20, 100, 300}) {
    for (const double share : {0.01, 0.3, 0.9, 1.0, 1.1, 1.7, 4.0}) {
      const double x = share * static_cast<double>(degrees);
      CAPTURE(degrees, x);
      CHECK(chi_square_tail(x, degrees) == Approx(tail_of_even(x, degrees)).epsilon(1e-11));
    }
  }
  for (const double z : {0.1, 1.0, 1.4, 1.5, 3.0, 5.0, 9.0}) {
    CAPTURE(z);
    CHECK(chi_square_tail(z * z, 1) == Approx(two_sided_tail(z)).epsilon(1e-11));
  }
  CHECK(two_sided_tail(5) == Approx(kFiveSigma).epsilon(1e-3));
  CHECK(chi_square_tail(0, 3) == 1);
}

TEST_CASE("one exception breaks what holds always, and nothing is said of no case") {
  Always cases;
  CHECK(cases.find().verdict == Verdict::too_few);
  cases.add(true);
  CHECK(cases.find().verdict == Verdict::holds);
  cases.add(false);
  const Finding found = cases.find();
  CHECK(found.verdict == Verdict::broken);
  CHECK(found.cases == 2);
  CHECK(found.seen == 1);
}

TEST_CASE("a mean is off by its standard deviations") {
  Mean share;
  share.add_count(1'000, 10'000, 0.1);
  CHECK(share.find().p_value == 1);
  share.add_count(90, 0, 0);  // of none at all
  CHECK(share.find().p_value == 0);
  Mean near;
  near.add_count(1'090, 10'000, 0.1);
  CHECK(near.find().p_value == Approx(two_sided_tail(3)));
  CHECK(near.find().verdict == Verdict::holds);
  CHECK(near.find().expected == Approx(0.1));
  CHECK(near.find().seen == Approx(0.109));
  Mean far;
  far.add_count(1'155, 10'000, 0.1);
  CHECK(far.find().verdict == Verdict::broken);
  Mean few;
  few.add_count(20, 30, 0.5);
  CHECK(few.find().verdict == Verdict::too_few);
  few.add_count(100, 100, 0.01);  // however few: not by chance
  CHECK(few.find().verdict == Verdict::broken);
}

TEST_CASE("numbers without variance must be what they must be, one by one") {
  Mean exact;
  exact.add(5, 5, 0);
  CHECK(exact.find().verdict == Verdict::holds);
  exact.add(4, 5, 0);
  exact.add(6, 5, 0);
  CHECK(exact.find().expected == exact.find().seen);
  CHECK(exact.find().verdict == Verdict::broken);
}

TEST_CASE("categories: Pearson's statistic, with small ones counted together") {
  Spread dice({0.5, 0.25, 0.25});
  for (int i = 0; i < 100; ++i) {
    dice.add(i < 60 ? 0 : i < 80 ? 1 : 2);
  }
  CHECK(dice.find().seen == Approx(100.0 / 50 + 25.0 / 25 + 25.0 / 25));
  CHECK(dice.find().expected == 2);
  CHECK(dice.find().p_value == Approx(std::exp(-2.0)));
  Spread rare({0.9, 0.05, 0.04, 0.01});  // of 100: 90 and 10 together
  for (int i = 0; i < 100; ++i) {
    rare.add(i < 90 ? 0 : 3);
  }
  CHECK(rare.find().expected == 1);
  CHECK(rare.find().seen == 0);
  Spread few({0.5, 0.5});
  few.add(0);
  CHECK(few.find().verdict == Verdict::too_few);
  CHECK_THROWS(few.add(2));
  Spread wrong({0.5, 0.5});
  for (int i = 0; i < 1000; ++i) {
    wrong.add(i % 5 < 3 ? 0 : 1);
  }
  CHECK(wrong.find().verdict == Verdict::broken);
}

TEST_CASE("cases of different distributions are even in 20 bins, and one that leans is not") {
  Stream stream({.seed = 3});
  Evenly fair;
  Evenly leaning;
  for (int i = 0; i < 100'000; ++i) {
    const auto count = 1 + static_cast<int64_t>(stream.below(30));
    const auto number = static_cast<int64_t>(stream.below(static_cast<uint64_t>(count)));
    fair.add_of(number, count);
    leaning.add_of(i % 10 == 0 ? 0 : number, count);
  }
  CHECK(fair.find().expected == 19);
  CHECK(fair.find().verdict == Verdict::holds);
  CHECK(fair.find().cases < 100'000);  // a single number says nothing
  CHECK(leaning.find().verdict == Verdict::broken);
  CHECK(find(Evidence(leaning)).p_value < 1e-100);
}
