#include <algorithm>
#include <cmath>

#include <ATen/Context.h>

#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

using Ids = std::vector<int64_t>;
constexpr int64_t kPrefix = 32099, kSuffix = 32098, kMiddle = 32097;

ObjectiveContext gap_context(int64_t sequence_length = 64) {
  return {.vocabulary = t5_vocabulary(),
          .architecture = Architecture::decoder_only,
          .sequence_length = sequence_length,
          .width = 16,
          .classes = {}};
}

Ids told(const Objective& objective, const Ids& ids, uint64_t sample) {
  Stream stream = stream_of(sample);
  return stream_text(objective.example({.ids = ids}, {}, stream));
}

// The three parts of a text that was cut, and in which order it was told.
struct Parts3 {
  Ids prefix, middle, suffix;
  bool suffix_first = false;
};
Parts3 parts_of(const Ids& text) {
  const auto suffix = std::ranges::find(text, kSuffix);
  const auto middle = std::ranges::find(text, kMiddle);
  Parts3 parts{.prefix = {text.begin() + 1, suffix},
               .middle = {middle + 1, text.end() - 1},
               .suffix = {suffix + 1, middle}};
  parts.suffix_first = parts.prefix.empty();
  return parts;
}

}  // namespace

TEST_CASE("fill_in_the_middle: every part stands once, in one of the two orders, and every id is predicted") {
  const double spm_share = GENERATE(0.0, 1.0);
  const auto objective =
      make_objective("fill_in_the_middle", {{"rate", 1.0}, {"spm_share", spm_share}}, gap_context());
  CHECK(objective->form().layout == Layout::stream);
  const Ids ids{11, 12, 13};
  for (uint64_t sample = 0; sample < 200; ++sample) {
    Stream stream = stream_of(sample);
    const Example example = objective->example({.ids = ids}, {}, stream);
    const Ids text = stream_text(example);
    REQUIRE(text.size() == 3 + 4);
    REQUIRE(text.front() == kPrefix);
    REQUIRE(text.back() == 1);
    REQUIRE(example.targets[0].labels == Ids(text.begin() + 1, text.end()));
    const Parts3 parts = parts_of(text);
    Ids again = parts.prefix;
    if (spm_share == 0) {
      again.insert(again.end(), parts.middle.begin(), parts.middle.end());
    } else {
      REQUIRE(parts.suffix_first);
      again = parts.middle;  // prefix and middle, one after the other
    }
    again.insert(again.end(), parts.suffix.begin(), parts.suffix.end());
    REQUIRE(again == ids);
  }
}

TEST_CASE("fill_in_the_middle: rate, share of SPM and cuts are as drawn, over a million tokens") {
  constexpr int64_t kLength = 20;
  constexpr int64_t kTexts = 50'000;
  const auto objective =
      make_objective("fill_in_the_middle", {{"rate", 0.6}, {"spm_share", 0.25}}, gap_context());
  const Ids ids = ids_between(2, 32000, kLength, 1);
  int64_t cut = 0, spm = 0;
  std::vector<int64_t> suffixes(kLength + 1, 0);
  for (uint64_t sample = 0; sample < kTexts; ++sample) {
    const Ids text = told(*objective, ids, sample);
    if (text.front() != kPrefix) {
      REQUIRE(text == ids);
      continue;
    }
    ++cut;
    const Parts3 parts = parts_of(text);
    ++suffixes.at(parts.suffix.size());
    // An empty prefix looks the same in both orders.
    spm += parts.suffix_first && (parts.middle.empty() || parts.middle.front() == ids.front()) ? 1 : 0;
  }
  CHECK(std::abs(static_cast<double>(cut) - 0.6 * kTexts) < five_sigma(kTexts, 0.6));
  // The smaller of two of 21 places is 0 with probability 1 - (20/21)^2.
  const double empty = 1 - std::pow(20.0 / 21, 2);
  const double looks_spm = 0.25 + 0.75 * empty;
  CHECK(std::abs(static_cast<double>(spm) - looks_spm * static_cast<double>(cut)) <
        five_sigma(static_cast<double>(cut), looks_spm));
  std::vector<double> probabilities;  // of a suffix of s ids: the larger place is n - s
  for (int64_t s = 0; s <= kLength; ++s) {
    const auto larger = static_cast<double>(kLength - s);
    probabilities.push_back((2 * larger + 1) / (21.0 * 21.0));
  }
  CHECK(chi_squared(suffixes, probabilities) < chi_squared_limit(kLength));
}

TEST_CASE("fill_in_the_middle: full windows fit; queries ask in an order that was learned") {
  const auto objective = make_objective("fill_in_the_middle", {{"rate", 1.0}}, gap_context(32));
  CHECK(objective->lengths().raw == 29);
  CHECK(objective->lengths().raw + objective->lengths().added == 32);
  for (uint64_t sample = 0; sample < 100; ++sample) {
    Stream stream = stream_of(sample);
    const Example example = objective->example({.ids = ids_between(2, 32000, 29, sample)}, {}, stream);
    REQUIRE(example.sequences[0].ids.size() == 32);
  }
  CHECK(objective->fills_in() == MiddleTokens{kPrefix, kSuffix, kMiddle, false});
  const auto spm = make_objective("fill_in_the_middle", {{"spm_share", 1.0}}, gap_context());
  CHECK(spm->fills_in() == MiddleTokens{kPrefix, kSuffix, kMiddle, true});
  CHECK(make_objective("fill_in_the_middle", {{"rate", 0.0}}, gap_context())->fills_in() == std::nullopt);
  CHECK(make_objective("causal_lm", {}, gap_context())->fills_in() == std::nullopt);
}

TEST_CASE("fill_in_the_middle: tokens are found by name, and what is missing is refused") {
  ObjectiveContext published = gap_context();
  published.vocabulary.ask.id_of_piece = [](std::string_view piece) -> std::optional<int64_t> {
    return piece == "<|fim_middle|>" ? std::optional<int64_t>(777) : std::nullopt;
  };
  const auto named = make_objective("fill_in_the_middle", {{"middle_token", "<|fim_middle|>"}}, published);
  CHECK(named->fills_in()->middle == 777);
  CHECK_THROWS_WITH(make_objective("fill_in_the_middle", {{"prefix_token", "<|pre|>"}}, published),
                    "fill_in_the_middle needs the token <|pre|>, and the tokenizer has no such token");
  ObjectiveContext few = gap_context();
  few.vocabulary.sentinels.resize(2);
  CHECK_THROWS_WITH(make_objective("fill_in_the_middle", {}, few),
                    "fill_in_the_middle needs the token <extra_id_2>, but the tokenizer has 2 sentinels");
  CHECK_THROWS_WITH(make_objective("fill_in_the_middle", {{"suffix_token", "<extra_id_2>"}}, gap_context()),
                    "prefix_token, suffix_token and middle_token are <extra_id_0>, <extra_id_2> and "
                    "<extra_id_2>, but must be "
                    "three different tokens");
  CHECK_THROWS_WITH(make_objective("fill_in_the_middle", {}, gap_context(4)),
                    "data.sequence_length is 4 but fill_in_the_middle needs at least 5");
}

TEST_CASE("fill_in_the_middle: the same stream gives the same cut") {
  const auto objective = make_objective("fill_in_the_middle", {{"rate", 1.0}}, gap_context());
  const Ids ids = ids_between(2, 32000, 40, 1);
  CHECK(told(*objective, ids, 3) == told(*objective, ids, 3));
  CHECK(told(*objective, ids, 3) != told(*objective, ids, 4));
}
