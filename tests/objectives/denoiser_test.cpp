// The corruptions that the T5 paper compares, beside spans that become sentinels (span_corruption_test.cpp).
#include "objectives/parts/denoiser.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

using Ids = std::vector<int64_t>;

Denoiser denoiser_of(Corruption corruption, NoisePlaces places = NoisePlaces::tokens, double density = 0.15) {
  return {.corruption = corruption,
          .places = places,
          .noise = {.density = density},
          .form = {.sentinels = t5_vocabulary().sentinels, .eos = 1},
          .vocabulary_size = 32100};
}

ObjectiveContext written(int64_t sequence_length, Architecture architecture = Architecture::encoder_decoder) {
  return {.vocabulary = t5_vocabulary(),
          .architecture = architecture,
          .sequence_length = sequence_length,
          .width = 16,
          .classes = {}};
}

Ids with_eos(Ids ids) {
  ids.push_back(1);
  return ids;
}

}  // namespace

TEST_CASE("denoiser: the worked example of the header") {
  const Ids ids{37, 5295, 1782, 10681, 16, 8, 2447};
  const std::vector<uint8_t> mask{0, 1, 1, 0, 0, 1, 0};
  const CorruptedText dropped = drop_tokens(ids, mask, 1);
  CHECK(dropped.source == Ids{37, 10681, 16, 2447, 1});
  CHECK(dropped.target == Ids{5295, 1782, 8, 1});
  const CorruptedText cut = cut_in_two(ids, 2, 1);
  CHECK(cut.source == Ids{37, 5295, 1});
  CHECK(cut.target == Ids{1782, 10681, 16, 8, 2447, 1});
  const CorruptedText restored = restore({16, 2447, 5295, 37, 8, 1782, 10681}, ids, 1);
  CHECK(restored.source == Ids{16, 2447, 5295, 37, 8, 1782, 10681, 1});
  CHECK(restored.target == with_eos(ids));
}

TEST_CASE("mass hides every token of noise behind one sentinel, bert a tenth behind random ids") {
  constexpr int64_t kLength = 500;
  const Corruption corruption = GENERATE(Corruption::mass, Corruption::bert);
  const Denoiser denoiser = denoiser_of(corruption);
  std::vector<int64_t> kinds(2, 0);  // sentinels, others
  int64_t tokens = 0;
  for (uint64_t sample = 0; tokens < 1'000'000; ++sample) {
    Stream stream = stream_of(sample);
    const Ids ids(kLength, 7);
    const CorruptedText pair = denoiser.corrupt(ids, stream);
    REQUIRE(pair.source.size() == ids.size() + 1);
    REQUIRE(pair.target == with_eos(ids));
    const auto hidden = std::count(pair.source.begin(), pair.source.end(), 32099);
    const auto kept = std::count(pair.source.begin(), pair.source.end(), 7);
    kinds[0] += hidden;
    kinds[1] += kLength - hidden - kept;
    tokens += kLength;
  }
  const int64_t noise = 2000 * 75;  // 0.15 of each text; a random id is 7 or a sentinel once in 16,050
  if (corruption == Corruption::mass) {
    CHECK(kinds == Ids{noise, 0});
  } else {
    CHECK(std::abs(kinds[0] - 0.9 * noise) < five_sigma(noise, 0.1) + 5);
    CHECK(std::abs(kinds[1] - 0.1 * noise) < five_sigma(noise, 0.1) + 5);
  }
}

TEST_CASE("single tokens of noise are as many as counted, and every place is as likely") {
  constexpr int64_t kLength = 40;
  const SpanNoise noise{.density = 0.15};
  std::vector<int64_t> hits(kLength, 0);
  for (uint64_t sample = 0; sample < 25'000; ++sample) {
    Stream stream = stream_of(sample);
    const std::vector<uint8_t> mask = token_mask(kLength, noise, stream);
    REQUIRE(std::accumulate(mask.begin(), mask.end(), 0) == 6);
    for (size_t i = 0; i < mask.size(); ++i) {
      hits[i] += mask[i];
    }
  }
  // Places exclude each other, so the spread is smaller than that of free draws: (n - k) / (n - 1) of it.
  CHECK(chi_squared(hits, std::vector<double>(kLength, 1.0 / kLength)) < chi_squared_limit(kLength - 1));
}

TEST_CASE("deshuffling: the source is any order of the text") {
  const Denoiser denoiser = denoiser_of(Corruption::deshuffling);
  const Ids ids{11, 12, 13};
  std::map<Ids, int64_t> orders;
  for (uint64_t sample = 0; sample < 60'000; ++sample) {
    Stream stream = stream_of(sample);
    const CorruptedText pair = denoiser.corrupt(ids, stream);
    REQUIRE(pair.target == with_eos(ids));
    ++orders[pair.source];
  }
  REQUIRE(orders.size() == 6);
  std::vector<int64_t> counts;
  for (const auto& [order, count] : orders) {
    CHECK(order.back() == 1);
    counts.push_back(count);
  }
  CHECK(chi_squared(counts, std::vector<double>(6, 1.0 / 6)) < chi_squared_limit(5));
}

TEST_CASE("no text is longer than its corruption promises, and lengths never fall when it grows") {
  const Corruption corruption = GENERATE(Corruption::replace_spans,
                                         Corruption::drop_tokens,
                                         Corruption::mass,
                                         Corruption::bert,
                                         Corruption::deshuffling);
  const NoisePlaces places = GENERATE(NoisePlaces::tokens, NoisePlaces::spans);
  const double density = GENERATE(0.15, 0.5, 0.9);
  const Denoiser denoiser = denoiser_of(corruption, places, density);
  SpanLengths before;
  for (int64_t raw = 1; raw <= 150; ++raw) {
    const SpanLengths lengths = denoiser.lengths(raw);
    REQUIRE(lengths.source >= before.source);
    REQUIRE(lengths.target >= before.target);
    REQUIRE(lengths.sentinels >= before.sentinels);
    before = lengths;
    for (uint64_t sample = 0; sample < 5; ++sample) {
      Stream stream = stream_of(sample, raw);
      const CorruptedText pair = denoiser.corrupt(ids_between(2, 32000, raw, sample), stream);
      REQUIRE(std::ssize(pair.source) <= lengths.source);
      REQUIRE(std::ssize(pair.target) <= lengths.target);
    }
  }
}

TEST_CASE("span_corruption: a full window of any corruption fits, in any architecture") {
  const std::string corruption = GENERATE("replace_spans", "drop_tokens", "mass", "bert", "deshuffling");
  const std::string places = GENERATE("spans", "tokens");
  const Architecture architecture = GENERATE(Architecture::encoder_decoder, Architecture::decoder_only);
  const auto objective = make_objective(
      "span_corruption", {{"corruption", corruption}, {"places", places}}, written(96, architecture));
  const ObjectiveLengths lengths = objective->lengths();
  for (uint64_t sample = 0; sample < 50; ++sample) {
    Stream stream = stream_of(sample);
    const Shown pair =
        shown(objective->example({.ids = ids_between(2, 32000, lengths.raw, sample)}, {}, stream));
    const bool joined = architecture == Architecture::decoder_only;
    REQUIRE(std::ssize(pair.ids) + (joined ? std::ssize(pair.target) : 0) <= 96);
    REQUIRE(std::ssize(pair.ids) <= lengths.source);
    REQUIRE(std::ssize(pair.target) <= lengths.target);
    REQUIRE(pair.unlabeled.empty());
  }
}

TEST_CASE("span_corruption: single tokens stand where spans do not, unless it is said otherwise") {
  const auto one = make_objective("span_corruption", {{"corruption", "drop_tokens"}}, written(512));
  const auto same =
      make_objective("span_corruption", {{"corruption", "drop_tokens"}, {"places", "tokens"}}, written(512));
  const auto spans =
      make_objective("span_corruption", {{"corruption", "drop_tokens"}, {"places", "spans"}}, written(512));
  const Ids ids = ids_between(2, 32000, 200, 1);
  const auto source = [&](const Objective& objective) {
    Stream stream = stream_of(1);
    return shown(objective.example({.ids = ids}, {}, stream)).ids;
  };
  CHECK(source(*one) == source(*same));
  CHECK(source(*one) != source(*spans));
}

TEST_CASE("span_corruption: what a corruption cannot use or lacks is refused with the numbers") {
  CHECK_THROWS_WITH(
      make_objective(
          "span_corruption", {{"corruption", "mass"}, {"dialect", "closing-sentinel"}}, written(64)),
      "dialect closing-sentinel belongs to corruption replace_spans; the target of mass has no sentinels");
  CHECK_THROWS_WITH(
      make_objective("span_corruption", {{"corruption", "bert"}, {"loss_on_sentinels", false}}, written(64)),
      Contains("loss_on_sentinels: false belongs to corruption replace_spans"));
  ObjectiveContext none = written(64);
  none.vocabulary.sentinels.clear();
  CHECK_THROWS_WITH(
      make_objective("span_corruption", {{"corruption", "bert"}}, none),
      "span_corruption needs 1 sentinels for the 63 tokens of a window (data.sequence_length 64) "
      "but the tokenizer has 0");
  CHECK_NOTHROW(make_objective("span_corruption", {{"corruption", "deshuffling"}}, none));
  CHECK_NOTHROW(make_objective("span_corruption", {{"corruption", "drop_tokens"}}, none));
  // 0.15 · 1023 tokens that may all stand alone, and one more sentinel.
  CHECK_THROWS_WITH(make_objective("span_corruption", {{"places", "tokens"}}, written(1024)),
                    Contains("needs 154 sentinels for the 1023 tokens") && Contains("places: spans"));
}
