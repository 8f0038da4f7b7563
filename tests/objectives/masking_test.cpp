// The dialects of masking beyond bert and hf, whole words, and rates that change.
#include "objectives/parts/masking.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

using Positions = std::vector<int64_t>;

// [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4; of the other ids the even ones begin words.
Vocabulary word_vocabulary(int64_t size = 100) {
  std::vector<WordEdges> edges(static_cast<size_t>(size), {.begins = true, .ends = true});
  for (int64_t id = 5; id < size; ++id) {
    edges[static_cast<size_t>(id)] = {.begins = id % 2 == 0};
  }
  return {.size = size,
          .pad = 0,
          .unk = 1,
          .bos = {},
          .eos = {},
          .cls = 2,
          .sep = 3,
          .mask = 4,
          .sentinels = {},
          .edges = std::make_shared<const std::vector<WordEdges>>(edges)};
}

Masking masking_of(const MaskingOptions& options) { return {options, word_vocabulary(), "masked_lm"}; }

MaskedText masked(const Masking& masking,
                  std::vector<int64_t> text,
                  uint64_t sample,
                  TrainingPlace place = {}) {
  text.insert(text.begin(), 2);
  text.push_back(3);
  Stream stream = stream_of(sample);
  return masking.corrupt(std::move(text), {.before = 1, .after = 1}, place, stream);
}

// So many texts of 98 ids are a million tokens.
constexpr uint64_t kTexts = 10'204;

}  // namespace

TEST_CASE("words are found by where they begin, where they end, and around special tokens") {
  const std::vector<WordEdges> edges{{.begins = true, .ends = true},    // 0: special
                                     {.begins = true, .ends = false},   // 1: ▁mush
                                     {.begins = false, .ends = false},  // 2: room
                                     {.begins = false, .ends = true}};  // 3: s</w>
  const auto lengths = [&](const std::vector<int64_t>& ids) {
    const Units words = words_of(ids, edges);
    Positions sizes;
    for (int64_t word = 0; word < words.count(); ++word) {
      sizes.push_back(std::ssize(words.at(word)));
    }
    return sizes;
  };
  CHECK(lengths({0, 1, 2, 2, 1, 0}) == Positions{1, 3, 1, 1});
  CHECK(lengths({2, 2, 1, 2}) == Positions{2, 2});  // begins in the middle of a word
  CHECK(lengths({2, 3, 2, 3, 3}) == Positions{2, 2, 1});
  CHECK(lengths({}).empty());
}

TEST_CASE("roberta: int(n·p + U) of all positions, special ones too, and no special id is drawn") {
  const Masking masking = masking_of({.dialect = MaskingDialect::roberta});
  std::vector<int64_t> at(100, 0);
  std::vector<int64_t> random(100, 0);
  for (uint64_t sample = 0; sample < kTexts; ++sample) {
    const MaskedText text = masked(masking, std::vector<int64_t>(98, 10), sample);
    REQUIRE(text.positions.size() == 15);  // 100 · 0.15
    for (const int64_t position : text.positions) {
      ++at.at(position);
      const int64_t id = text.ids[position];
      const bool kept = id == (position == 0 ? 2 : position == 99 ? 3 : 10);
      random.at(id) += kept || id == 4 ? 0 : 1;
    }
  }
  CHECK(chi_squared(at, std::vector<double>(100, 0.01)) < chi_squared_limit(99));
  // Of ids 5 ... 99 but 10, which cannot be told from a kept token.
  CHECK(std::accumulate(random.begin(), random.begin() + 5, int64_t{0}) == 0);
  std::vector<int64_t> drawn{random.begin() + 5, random.end()};
  drawn.erase(drawn.begin() + 5);
  CHECK(chi_squared(drawn, std::vector<double>(94, 1.0 / 94)) < chi_squared_limit(93));

  int64_t chosen = 0;  // 12 · 0.15 = 1.8: 1 or 2, on average 1.8
  for (uint64_t sample = 0; sample < kTexts; ++sample) {
    const auto count = std::ssize(masked(masking, std::vector<int64_t>(10, 10), sample).positions);
    REQUIRE((count == 1 || count == 2));
    chosen += count;
  }
  CHECK(std::abs(static_cast<double>(chosen) - 1.8 * kTexts) < five_sigma(kTexts, 0.8));
}

TEST_CASE("roberta with whole words: so many words, and 80/10/10 a word") {
  const Masking masking = masking_of({.dialect = MaskingDialect::roberta, .whole_words = true});
  std::vector<int64_t> text;  // 32 words of 3 pieces; with [CLS] and [SEP] 34
  for (int64_t word = 0; word < 32; ++word) {
    text.insert(text.end(), {10, 11, 13});
  }
  int64_t words = 0;
  int64_t all_masked = 0;
  int64_t kept = 0;
  for (uint64_t sample = 0; sample < kTexts; ++sample) {
    const MaskedText made = masked(masking, text, sample);
    for (size_t i = 0; i < made.positions.size();) {
      const int64_t position = made.positions[i];
      const bool special = position == 0 || position == 97;
      const size_t size = special ? 1 : 3;
      REQUIRE((special || (position - 1) % 3 == 0));
      REQUIRE(i + size <= made.positions.size());
      REQUIRE(made.positions[i + size - 1] == position + static_cast<int64_t>(size) - 1);
      if (!special) {
        ++words;
        const auto* piece = &made.ids[static_cast<size_t>(position)];
        const auto masks = std::count(piece, piece + 3, 4);
        REQUIRE((masks == 0 || masks == 3));
        all_masked += masks == 3 ? 1 : 0;
        kept += std::equal(piece, piece + 3, text.begin()) ? 1 : 0;
      }
      i += size;
    }
  }
  const auto n = static_cast<double>(words);
  // 34 · 0.15 = 5.1 words of 34, of which 32 are words of the text.
  CHECK(std::abs(n - 5.1 * kTexts * 32 / 34) < five_sigma(kTexts * 5.1, 0.15));
  CHECK(std::abs(static_cast<double>(all_masked) - 0.8 * n) < five_sigma(n, 0.8));
  CHECK(std::abs(static_cast<double>(kept) - 0.1 * n) < five_sigma(n, 0.1));
}

TEST_CASE("bert and hf with whole words: never more pieces than wanted, and 80/10/10 a piece") {
  const auto dialect = GENERATE(MaskingDialect::bert, MaskingDialect::hf);
  const Masking masking = masking_of({.dialect = dialect, .whole_words = true});
  int64_t pieces = 0;
  int64_t masks = 0;
  int64_t torn = 0;  // words of which one piece is masked and one is not
  for (uint64_t sample = 0; sample < kTexts; ++sample) {
    const std::vector<int64_t> text = ids_between(5, 100, 98, sample);
    const MaskedText made = masked(masking, text, sample);
    REQUIRE(made.positions.size() <= 15);
    const std::set<int64_t> chosen(made.positions.begin(), made.positions.end());
    for (const int64_t position : chosen) {
      const bool goes_on = position < 98 && text[static_cast<size_t>(position)] % 2 == 1;
      REQUIRE((!goes_on || chosen.contains(position + 1)));
      torn += goes_on && (made.ids[position] == 4) != (made.ids[position + 1] == 4) ? 1 : 0;
      masks += made.ids[position] == 4 ? 1 : 0;
    }
    pieces += std::ssize(made.positions);
  }
  CHECK(torn > 0);
  CHECK(static_cast<double>(pieces) > 0.99 * 15 * kTexts);  // short words fill what long ones leave
  CHECK(std::abs(static_cast<double>(masks) - static_cast<double>(pieces) * (0.8 + 0.1 / 100)) <
        five_sigma(static_cast<double>(pieces), 0.8));
}

TEST_CASE("bert with whole words: a word longer than the budget is passed over") {
  const Masking masking = masking_of({.whole_words = true});
  // One word of 8 pieces and one of 1: round(11 · 0.15) = 2 fits the second alone.
  for (uint64_t sample = 0; sample < 20; ++sample) {
    const MaskedText made = masked(masking, {10, 11, 13, 15, 17, 19, 21, 23, 12}, sample);
    CHECK(made.positions == Positions{9});
  }
}

TEST_CASE("electra: draws with replacement count twice, 85 % of them mask, none is random") {
  const Masking masking = masking_of({.dialect = MaskingDialect::electra});
  double weights = 0;
  int64_t masks = 0;
  int64_t positions = 0;
  std::vector<int64_t> once(2, 0);
  for (uint64_t sample = 0; sample < kTexts; ++sample) {
    const MaskedText made = masked(masking, std::vector<int64_t>(98, 10), sample);
    REQUIRE(std::accumulate(made.weights.begin(), made.weights.end(), 0.0F) == 15);
    REQUIRE(made.weights.size() == made.positions.size());
    for (size_t i = 0; i < made.positions.size(); ++i) {
      const int64_t id = made.ids[made.positions[i]];
      REQUIRE((id == 4 || id == 10));
      if (made.weights[i] == 1) {
        ++once[id == 4 ? 1 : 0];
      }
      masks += id == 4 ? 1 : 0;
      weights += made.weights[i];
    }
    positions += std::ssize(made.positions);
  }
  CHECK(weights == 15 * kTexts);
  const auto single = static_cast<double>(once[0] + once[1]);
  CHECK(std::abs(static_cast<double>(once[1]) - 0.85 * single) < five_sigma(single, 0.85));
  // Different positions among 15 draws of 98: 98 · (1 - (97/98)^15).
  const double expected = 98 * (1 - std::pow(97.0 / 98, 15)) * kTexts;
  CHECK(std::abs(static_cast<double>(positions) - expected) < five_sigma(15 * kTexts, 0.07));
  const Masking spared = masking_of({.dialect = MaskingDialect::electra, .rate = 0.9});
  CHECK(masked(spared, {4, 2, 10, 3}, 1).positions == Positions{3});  // only 10 may be drawn
}

TEST_CASE("gpt-bert: spans of 1 to 3 that tile the text, one fate each, until there are enough") {
  const Masking masking =
      masking_of({.dialect = MaskingDialect::gpt_bert, .mask_share = 1, .random_share = 0});
  std::vector<int64_t> extra(3, 0);
  for (uint64_t sample = 0; sample < kTexts; ++sample) {
    const MaskedText made = masked(masking, std::vector<int64_t>(100, 10), sample);
    const int64_t over = std::ssize(made.positions) - 15;  // 100 · 0.15
    REQUIRE((over >= 0 && over <= 2));
    ++extra[static_cast<size_t>(over)];
    REQUIRE((made.positions.front() >= 1 && made.positions.back() <= 100));
  }
  CHECK(extra[1] > 0);
  CHECK(extra[2] > 0);

  const Masking mixed = masking_of({.dialect = MaskingDialect::gpt_bert, .rate = 0.9999});
  int64_t tokens = 0;
  int64_t masks = 0;
  int64_t kept = 0;
  for (uint64_t sample = 0; sample < kTexts; ++sample) {
    const MaskedText made = masked(mixed, std::vector<int64_t>(98, 10), sample);
    REQUIRE(made.positions.size() >= 97);  // int(97.99 + U) of 98
    for (const int64_t position : made.positions) {
      masks += made.ids[position] == 4 ? 1 : 0;
      kept += made.ids[position] == 10 ? 1 : 0;
    }
    tokens += std::ssize(made.positions);
  }
  // Tokens of a span share their fate: 14/6 tokens of a span in the mean square over the mean of 2.
  const double clumped = std::sqrt(14.0 / 6);
  const auto n = static_cast<double>(tokens);
  CHECK(std::abs(static_cast<double>(masks) - 0.8 * n) < clumped * five_sigma(n, 0.8));
  CHECK(std::abs(static_cast<double>(kept) - (0.1 + 0.1 / 95) * n) < clumped * five_sigma(n, 0.1));
  CHECK(masked(mixed, {4, 2, 10, 3, 0}, 1).positions == Positions{3});  // special ids are never hidden
}

TEST_CASE(
    "a rate goes in a straight line over the run, a share of it or some steps, and evaluation has its own") {
  const Rate whole{RateSchedule{.from = 0.3, .to = 0.1}};
  CHECK(whole.at({.step = 1, .steps = 100}) == 0.3);
  CHECK(whole.at({.step = 51, .steps = 100}) == Approx(0.2));
  CHECK(whole.at({.evaluates = true}) == Approx(0.1));
  CHECK(whole.at({}) == 0.3);
  const Rate half{RateSchedule{.from = 0.3, .to = 0.1, .over = 0.5}};
  CHECK(half.at({.step = 26, .steps = 100}) == Approx(0.2));
  CHECK(half.at({.step = 80, .steps = 100}) == Approx(0.1));
  const Rate steps{RateSchedule{.from = 0.3, .to = 0.1, .steps = 10}};
  CHECK(steps.at({.step = 6, .steps = 100}) == Approx(0.2));
  CHECK(steps.at({.step = 11, .steps = 100}) == Approx(0.1));
  CHECK_THROWS_WITH((Rate{RateSchedule{.over = 0.5, .steps = 10}}.check_legal()),
                    Contains("give one of them"));

  const auto chosen = [](const MaskingOptions& options, const TrainingPlace& place) {
    return masked(masking_of(options), std::vector<int64_t>(98, 10), 1, place).positions.size();
  };
  const MaskingOptions falls{.rate = whole};
  CHECK(chosen(falls, {.step = 1, .steps = 100}) == 30);
  CHECK(chosen(falls, {.step = 51, .steps = 100}) == 20);
  CHECK(chosen(falls, {.evaluates = true}) == 10);
  CHECK(chosen({.rate = 0.3}, {.evaluates = true}) == 30);
  CHECK(chosen({.rate = 0.3, .eval_rate = 0.15}, {.step = 1, .steps = 100}) == 30);
  CHECK(chosen({.rate = 0.3, .eval_rate = 0.15}, {.evaluates = true}) == 15);
}

TEST_CASE("masking: what does not go together is refused") {
  const auto made = [](const MaskingOptions& options) { return [options] { masking_of(options); }; };
  CHECK_THROWS_WITH(
      made({.dialect = MaskingDialect::electra, .whole_words = true})(),
      "whole_words goes with the dialects bert, hf and roberta of masked_lm, but dialect is electra");
  CHECK_THROWS_WITH(made({.dialect = MaskingDialect::roberta, .max_predictions = 3})(),
                    Contains("but dialect is roberta"));
  CHECK_NOTHROW(made({.dialect = MaskingDialect::hf, .max_predictions = 3, .whole_words = true})());
  Vocabulary unknown = word_vocabulary();
  unknown.edges.reset();
  CHECK_THROWS_WITH((Masking{{.whole_words = true}, unknown, "masked_lm"}),
                    "whole_words needs a tokenizer that tells where words begin, and this one does not");
  CHECK_THROWS_WITH(make_objective("masked_lm",
                                   {{"dialect", "electra"}},
                                   {.vocabulary = word_vocabulary(),
                                    .architecture = Architecture::encoder_decoder,
                                    .sequence_length = 32,
                                    .classes = {}}),
                    Contains("take another dialect"));
}

TEST_CASE("every dialect is a function of the stream") {
  const auto dialect = GENERATE(MaskingDialect::roberta, MaskingDialect::electra, MaskingDialect::gpt_bert);
  const Masking masking = masking_of({.dialect = dialect});
  const std::vector<int64_t> text = ids_between(5, 100, 90, 3);
  const MaskedText first = masked(masking, text, 7);
  CHECK(first.ids == masked(masking, text, 7).ids);
  CHECK(first.positions != masked(masking, text, 8).positions);
  for (size_t i = 0; i < first.positions.size(); ++i) {
    CHECK(first.labels[i] == (first.positions[i] == 0    ? 2
                              : first.positions[i] == 91 ? 3
                                                         : text[first.positions[i] - 1]));
  }
}
