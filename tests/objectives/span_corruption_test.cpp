#include <algorithm>

#include <ATen/Context.h>

#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

Shown corrupted(const Objective& objective, const std::vector<int64_t>& ids, uint64_t sample) {
  Stream stream = stream_of(sample);
  return shown(objective.example({.ids = ids}, {}, stream));
}

Settings noise(double density, double mean_length, const std::string& dialect = "t5-google") {
  return {{"density", density}, {"mean_length", mean_length}, {"dialect", dialect}};
}

}  // namespace

TEST_CASE("span_corruption: exact ids where only one mask is possible") {
  // Two ids have one mask, three of them with density 0.3 one noise id, which stands at the end.
  const auto google = make_objective("span_corruption", noise(0.3, 3), t5_context(128));
  const Shown pair = corrupted(*google, {1782, 10681, 2447}, 1);
  CHECK(pair.ids == std::vector<int64_t>{1782, 10681, 32099, 1});
  CHECK(pair.target == std::vector<int64_t>{32099, 2447, 1});

  const auto closing = make_objective("span_corruption", noise(0.3, 3, "closing-sentinel"), t5_context(128));
  CHECK(corrupted(*closing, {1782, 10681, 2447}, 1).ids == pair.ids);
  CHECK(corrupted(*closing, {1782, 10681, 2447}, 1).target == std::vector<int64_t>{32099, 2447, 32098, 1});

  // Alternating runs of one id each: density 0.5, mean length 1.
  const auto dense = make_objective("span_corruption", noise(0.5, 1), t5_context(128));
  const Shown alternating = corrupted(*dense, {11, 12, 13, 14, 15, 16}, 1);
  CHECK(alternating.ids == std::vector<int64_t>{11, 32099, 13, 32098, 15, 32097, 1});
  CHECK(alternating.target == std::vector<int64_t>{32099, 12, 32098, 14, 32097, 16, 1});
}

TEST_CASE("span_corruption: a text of one id keeps it") {
  for (const std::string dialect : {"t5-google", "closing-sentinel"}) {
    const auto objective = make_objective("span_corruption", {{"dialect", dialect}}, t5_context(128));
    const Shown pair = corrupted(*objective, {37}, 1);
    CHECK(pair.ids == std::vector<int64_t>{37, 1});
    CHECK(pair.target == std::vector<int64_t>{32099, 1});
  }
}

TEST_CASE("span_corruption: dialects share their masks, and the closing sentinel is the only difference") {
  const auto google = make_objective("span_corruption", {}, t5_context(512));
  const auto closing = make_objective("span_corruption", {{"dialect", "closing-sentinel"}}, t5_context(512));
  const std::vector<int64_t> ids = ids_between(2, 32000, 300, 1);
  const Shown a = corrupted(*google, ids, 5);
  const Shown b = corrupted(*closing, ids, 5);
  CHECK(a.ids == b.ids);
  std::vector<int64_t> expected = a.target;
  expected.insert(expected.end() - 1, 32099 - 15);  // 45 noise ids in 15 spans
  CHECK(b.target == expected);
}

TEST_CASE("span_corruption: lengths are solved, and full windows have exactly them") {
  struct Row {
    double density, mean_length;
    int64_t length, raw, source, target;
  };
  const Row row = GENERATE(Row{0.15, 3, 128, 141, 128, 29},
                           Row{0.15, 3, 512, 568, 512, 114},
                           Row{0.15, 3, 1024, 1137, 1024, 229},
                           Row{0.15, 64, 512, 600, 512, 92},
                           Row{0.5, 8, 512, 908, 512, 512});
  const auto objective =
      make_objective("span_corruption", noise(row.density, row.mean_length), t5_context(row.length));
  CHECK(objective->form().layout == Layout::source_target);
  CHECK(objective->lengths().raw == row.raw);
  CHECK(objective->lengths().source == row.source);
  CHECK(objective->lengths().target == row.target);
  const Shown pair = corrupted(*objective, ids_between(2, 32000, row.raw, 1), 1);
  CHECK(std::ssize(pair.ids) == row.source);
  CHECK(std::ssize(pair.target) == row.target);
}

TEST_CASE("span_corruption: a shorter text is never longer than a full one, in any dialect or architecture") {
  const std::string dialect = GENERATE("t5-google", "closing-sentinel");
  const Architecture architecture = GENERATE(Architecture::encoder_decoder, Architecture::decoder_only);
  const auto objective =
      make_objective("span_corruption", {{"dialect", dialect}}, t5_context(128, architecture));
  for (int64_t length = 1; length <= objective->lengths().raw; ++length) {
    const Shown pair = corrupted(*objective, ids_between(2, 32000, length, 1), length);
    const int64_t read =
        std::ssize(pair.ids) + (architecture == Architecture::decoder_only ? std::ssize(pair.target) : 0);
    REQUIRE(read <= 128);
    REQUIRE(std::ssize(pair.target) <= objective->lengths().target);
  }
}

TEST_CASE("span_corruption: a trap of the reference, where one span is more than the mean asks for") {
  // Up to 185 the published solver forgets that there is always a span, and its texts are too long.
  for (int64_t length = 3; length <= 200; ++length) {
    const auto objective = make_objective("span_corruption", noise(0.15, 64), t5_context(length));
    const ObjectiveLengths lengths = objective->lengths();
    REQUIRE(std::ssize(corrupted(*objective, ids_between(2, 32000, lengths.raw, 1), 1).ids) <= length);
  }
}

TEST_CASE("span_corruption: more spans than sentinels are refused with the numbers, just where they begin") {
  struct Row {
    double density, mean_length;
    int64_t refused;
  };
  const Row row = GENERATE(Row{0.15, 3, 1810}, Row{0.5, 3, 404}, Row{0.5, 8, 907});
  const Settings settings = noise(row.density, row.mean_length);
  CHECK_NOTHROW(make_objective("span_corruption", settings, t5_context(row.refused - 1)));
  CHECK_THROWS_AS(make_objective("span_corruption", settings, t5_context(row.refused)), InputError);
  // One sentinel more is needed to close.
  const Settings closing = noise(row.density, row.mean_length, "closing-sentinel");
  CHECK_THROWS_WITH(make_objective("span_corruption", closing, t5_context(row.refused - 1)),
                    Contains("needs 101 sentinels"));
}

TEST_CASE("span_corruption: refusals say what is needed, what there is and what would be legal") {
  CHECK_THROWS_WITH(
      make_objective("span_corruption", {}, t5_context(2048)),
      "span_corruption needs 114 sentinels for the 2274 tokens of a window (data.sequence_length 2048) "
      "but the tokenizer has 100; legal are a data.sequence_length of at most 1809, a larger "
      "mean_length or a smaller density");
  ObjectiveContext none = t5_context(128);
  none.vocabulary.sentinels.clear();
  CHECK_THROWS_WITH(
      make_objective("span_corruption", {}, none),
      "span_corruption needs 7 sentinels for the 141 tokens of a window (data.sequence_length 128) but "
      "the tokenizer has 0");
  ObjectiveContext no_end = t5_context(128);
  no_end.vocabulary.eos.reset();
  CHECK_THROWS_WITH(make_objective("span_corruption", {}, no_end), Contains("eos"));
  CHECK_THROWS_WITH(make_objective("span_corruption", {}, t5_context(2)),
                    "data.sequence_length is 2 but span_corruption needs at least 3");
  CHECK_THROWS_WITH(make_objective("span_corruption", {}, t5_context(5, Architecture::decoder_only)),
                    "data.sequence_length is 5 but span_corruption of a decoder-only model needs at least 6");
}

TEST_CASE("span_corruption: sentinels of the target are predicted unless it is said otherwise") {
  const std::vector<int64_t> ids = ids_between(2, 32000, 100, 1);
  const auto usual = make_objective("span_corruption", {}, t5_context(128));
  CHECK(corrupted(*usual, ids, 1).unlabeled.empty());

  const auto silent = make_objective("span_corruption", {{"loss_on_sentinels", false}}, t5_context(128));
  const Shown pair = corrupted(*silent, ids, 1);
  CHECK(pair.target == corrupted(*usual, ids, 1).target);
  std::vector<int64_t> sentinels;
  for (int64_t i = 0; i < std::ssize(pair.target); ++i) {
    if (pair.target[i] >= 32000) {
      sentinels.push_back(i);
    }
  }
  CHECK(pair.unlabeled == sentinels);
  CHECK(batch_of({pair.example}).slots[0].count() == std::ssize(pair.target) - std::ssize(sentinels));
}

TEST_CASE("span_corruption: the same stream gives the same example") {
  const auto objective = make_objective("span_corruption", {}, t5_context(512));
  const std::vector<int64_t> ids = ids_between(2, 32000, 568, 1);
  CHECK(corrupted(*objective, ids, 3).ids == corrupted(*objective, ids, 3).ids);
  CHECK(corrupted(*objective, ids, 3).ids != corrupted(*objective, ids, 4).ids);
}

TEST_CASE("span_corruption: a model learns one batch by heart") {
  at::manual_seed(1);
  ObjectiveContext context = t5_context(32);
  context.vocabulary = {.size = 50,
                        .pad = 0,
                        .unk = 2,
                        .bos = {},
                        .eos = 1,
                        .cls = {},
                        .sep = {},
                        .mask = {},
                        .sentinels = {49, 48, 47}};
  const auto objective = make_objective("span_corruption", {}, context);
  const Batch batch = batch_of({corrupted(*objective, ids_between(3, 47, 30, 1), 1),
                                corrupted(*objective, ids_between(3, 47, 20, 2), 2)});
  TinyModel model(Architecture::encoder_decoder, 50);
  const Overfit result = overfit(*objective, model, batch);
  CHECK(result.last < 0.1 * result.first);
  CHECK(result.accuracy == 1);
}
