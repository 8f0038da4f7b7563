#include "metrics/bleu.h"

#include "metrics/chrf.h"
#include "metrics/golden.h"
#include "support/catch.h"

using namespace lmzoo;
using lmzoo::test::near;

namespace {

const std::map<std::string, BleuTokenizer> kTokenizers{{"13a", BleuTokenizer::v13a},
                                                       {"intl", BleuTokenizer::international},
                                                       {"char", BleuTokenizer::character},
                                                       {"none", BleuTokenizer::none}};
const std::map<std::string, BleuSmoothing> kSmoothings{{"exp", BleuSmoothing::exp},
                                                       {"floor", BleuSmoothing::floor},
                                                       {"add-k", BleuSmoothing::add_k},
                                                       {"none", BleuSmoothing::none}};

BleuOptions bleu_options(const Json& row) {
  BleuOptions options{.tokenizer = kTokenizers.at(row[0].get<std::string>()),
                      .smoothing = kSmoothings.at(row[1].get<std::string>()),
                      .smoothing_value = {},
                      .effective_order = row[3].get<bool>(),
                      .lowercase = row[4].get<bool>()};
  if (!row[2].is_null()) {
    options.smoothing_value = row[2].get<double>();
  }
  return options;
}

ChrfOptions chrf_options(const Json& given) {
  return {.character_order = given.value("char_order", int64_t{6}),
          .word_order = given.value("word_order", int64_t{0}),
          .beta = given.value("beta", 2.0),
          .lowercase = given.value("lowercase", false)};
}

}  // namespace

TEST_CASE("words of BLEU are sacreBLEU's, with each tokenizer") {
  for (const Json& one : test::golden_metrics("bleu")) {
    for (const auto& [name, tokenizer] : kTokenizers) {
      for (size_t i = 0; i < one["predicted"].size(); ++i) {
        const auto text = one["predicted"][i].get<std::string>();
        INFO(name << ": " << text);
        CHECK(bleu_words(text, {.tokenizer = tokenizer}) == one[name][i].get<test::Texts>());
      }
    }
  }
}

TEST_CASE("BLEU and its signature are sacreBLEU's, with each tokenizer and smoothing") {
  for (const Json& one : test::golden_metrics("bleu")) {
    const auto predicted = one["predicted"].get<test::Texts>();
    const auto truth = one["truth"].get<References>();
    for (const Json& row : one["scores"]) {
      INFO(one["predicted"].dump() << " " << row.dump());
      const BleuOptions options = bleu_options(row);
      const BleuScore score = corpus_bleu(predicted, truth, options);
      CHECK(near(score.score, row[5]));
      for (size_t n = 0; n < kBleuOrder; ++n) {
        CHECK(near(score.precisions[n], row[6][n]));
      }
      CHECK(near(score.brevity_penalty, row[7]));
      CHECK(bleu_signature(options, truth) == row[8].get<std::string>());
    }
    for (size_t i = 0; i < predicted.size(); ++i) {
      CHECK(near(sentence_bleu(predicted[i], truth[i]).score, one["sentences"][i]));
    }
  }
}

TEST_CASE("chrF and chrF++ are sacreBLEU's") {
  for (const Json& one : test::golden_metrics("bleu")) {
    for (const Json& row : one["chrf"]) {
      INFO(one["predicted"].dump() << " " << row.dump());
      const ChrfOptions options = chrf_options(row[0]);
      ChrfCounts sum(static_cast<size_t>(options.character_order + options.word_order));
      for (size_t i = 0; i < one["predicted"].size(); ++i) {
        const ChrfCounts counts =
            chrf_counts(one["predicted"][i].get<std::string>(), one["truth"][i].get<test::Texts>(), options);
        for (size_t n = 0; n < sum.size(); ++n) {
          sum[n] += counts[n];
        }
      }
      CHECK(near(chrf_score(sum, options), row[1]));
    }
  }
}

TEST_CASE("BLEU of broken bytes is BLEU of other characters") {
  const test::Texts reference{"the owl \xFF\xC3 runs after"};
  CHECK(sentence_bleu(reference[0], reference).score == Approx(100));
  CHECK(bleu_words("\xF0\x9F x", {.tokenizer = BleuTokenizer::international}) == test::Texts{"\uFFFD", "x"});
  CHECK_THROWS_AS(bleu_counts("x", {}), std::logic_error);
  CHECK_THROWS_AS(chrf_counts("x", {}), std::logic_error);
}
