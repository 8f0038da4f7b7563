// Alias tables, Huffman trees and sub-sampling.
#include <cmath>
#include <numeric>

#include "base/words/alias_table.h"
#include "base/words/fast_random.h"
#include "base/words/huffman.h"
#include "base/words/subsampling.h"
#include "support/catch.h"

using namespace lmzoo;

TEST_CASE("an alias table draws each item with its weight") {
  const std::vector<double> weights{5, 0, 1, 3, 1};
  const AliasTable table(weights);
  FastRandom random(1);
  constexpr int kDraws = 1'000'000;
  std::vector<int> counts(weights.size());
  for (int i = 0; i < kDraws; ++i) {
    ++counts[static_cast<size_t>(table.draw(random.bits()))];
  }
  CHECK(counts[1] == 0);
  for (size_t i = 0; i < weights.size(); ++i) {
    const double p = weights[i] / 10;
    const double sigma = std::sqrt(kDraws * p * (1 - p));
    CHECK(std::abs(counts[i] - kDraws * p) <= 5 * sigma);
  }
}

TEST_CASE("negatives follow counts to the power of 3/4") {
  const AliasTable table = noise_distribution(std::vector<int64_t>{16, 1});
  FastRandom random(2);
  constexpr int kDraws = 900'000;
  int rare = 0;
  for (int i = 0; i < kDraws; ++i) {
    rare += table.draw(random.bits());
  }
  const double expected = kDraws / 9.0;  // 16^0.75 = 8
  CHECK(std::abs(rare - expected) < 5 * std::sqrt(expected));
}

TEST_CASE("a Huffman tree has the least mean depth, and its codes tell all words apart") {
  // 8 4 2 1 1: depths 1 2 3 4 4.
  const HuffmanTree tree(std::vector<int64_t>{8, 4, 2, 1, 1});
  const std::vector<int64_t> depths{1, 2, 3, 4, 4};
  std::vector<std::vector<uint8_t>> codes;
  for (int64_t word = 0; word < 5; ++word) {
    CHECK(std::ssize(tree.nodes(word)) == depths[static_cast<size_t>(word)]);
    CHECK(tree.nodes(word)[0] == 3);  // the root is V - 2
    codes.emplace_back(tree.branches(word).begin(), tree.branches(word).end());
  }
  CHECK(tree.longest() == 4);
  for (size_t a = 0; a < codes.size(); ++a) {
    for (size_t b = 0; b < codes.size(); ++b) {
      const bool begins = codes[a].size() <= codes[b].size() &&
                          std::equal(codes[a].begin(), codes[a].end(), codes[b].begin());
      CHECK(begins == (a == b));
    }
  }
}

TEST_CASE("a single word needs no question") {
  const HuffmanTree tree(std::vector<int64_t>{7});
  CHECK(tree.nodes(0).empty());
  CHECK(tree.longest() == 0);
}

TEST_CASE("both sub-sampling formulas are the published ones") {
  // f = 0.1, s = 0.001: f/s = 100.
  CHECK(keep_probability(100, 1000, 1e-3, SampleFormula::word2vec) == Approx((10.0 + 1) / 100));
  CHECK(keep_probability(100, 1000, 1e-3, SampleFormula::paper) == Approx(0.1));
  CHECK(keep_probability(1, 100'000, 1e-3, SampleFormula::word2vec) == 1);
  CHECK(keep_probability(100, 1000, 0, SampleFormula::paper) == 1);
}
