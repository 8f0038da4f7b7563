#include <algorithm>
#include <map>
#include <set>

#include "io/json.h"
#include "objectives/support.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

using Ids = std::vector<int64_t>;

const std::vector<std::string> kNames{"r_3_15", "r_8_15", "x_3_50", "x_8_50", "x_64_15", "x_64_50", "s_25"};

// A mode is four ids, of its letters: [NLU] 91 78 76 85.
ObjectiveContext ul2_context(int64_t sequence_length,
                             Architecture architecture = Architecture::encoder_decoder) {
  ObjectiveContext context{.vocabulary = t5_vocabulary(),
                           .architecture = architecture,
                           .sequence_length = sequence_length,
                           .width = 16,
                           .classes = {}};
  context.vocabulary.ask.encode = [](std::string_view text) { return Ids(text.begin(), text.end() - 1); };
  return context;
}

// Weight 1 for one denoiser, 0 for the others.
Settings only(const std::string& name) {
  Settings settings;
  for (const std::string& each : kNames) {
    settings[each] = each == name ? 1.0 : 0.0;
  }
  return settings;
}

Shown denoised(const Objective& objective, const Ids& ids, uint64_t sample) {
  Stream stream = stream_of(sample);
  return shown(objective.example({.ids = ids}, {}, stream));
}

}  // namespace

TEST_CASE("ul2: exact ids where only one corruption is possible") {
  const auto spans = make_objective("ul2", only("r_3_15"), ul2_context(64));
  const Shown regular = denoised(*spans, {37, 5295}, 1);
  CHECK(regular.ids == Ids{'[', 'N', 'L', 'U', 37, 32099, 1});
  CHECK(regular.target == Ids{32099, 5295, 1});
  const auto rest = make_objective("ul2", only("s_25"), ul2_context(64));
  const Shown sequential = denoised(*rest, {37, 5295}, 1);
  CHECK(sequential.ids == Ids{'[', 'S', '2', 'S', 37, 1});
  CHECK(sequential.target == Ids{5295, 1});
  const auto extreme = make_objective("ul2", only("x_64_50"), ul2_context(64));
  CHECK(denoised(*extreme, {37, 5295}, 1).ids == Ids{'[', 'N', 'L', 'G', 37, 32099, 1});
  Settings silent = only("s_25");
  silent["s"] = std::string();
  ObjectiveContext context = ul2_context(64);
  context.vocabulary.ask.encode = [](std::string_view text) { return Ids(text.begin(), text.end()); };
  CHECK(denoised(*make_objective("ul2", silent, context), {37, 5295}, 1).ids == Ids{37, 1});
}

TEST_CASE("ul2: windows are the longest that trying every length finds, and one serves all") {
  const Json golden_values = read_json(golden("objectives.json"))["ul2"];
  REQUIRE(golden_values.size() == 2);
  for (const Json& table : golden_values) {
    const auto architecture =
        table["joined"].get<bool>() ? Architecture::decoder_only : Architecture::encoder_decoder;
    for (const Json& row : table["values"]) {
      const auto context = ul2_context(row[0].get<int64_t>(), architecture);
      int64_t least = 1'000'000;
      bool has_sentinels = true;
      for (size_t i = 0; i < kNames.size(); ++i) {
        const auto window = row[i + 1].get<int64_t>();
        CAPTURE(table["joined"].dump(), row.dump(), kNames[i]);
        if (kNames[i] == "x_3_50" && window > 603) {
          has_sentinels = false;  // more than 100 spans
          CHECK_THROWS_WITH(make_objective("ul2", only(kNames[i]), context), Contains("sentinels"));
        } else {
          CHECK(make_objective("ul2", only(kNames[i]), context)->lengths().raw == window);
        }
        least = std::min(least, window);
      }
      if (has_sentinels) {
        CHECK(make_objective("ul2", {}, context)->lengths().raw == least);
      }
    }
  }
}

TEST_CASE("ul2: no denoiser overflows, at any length of text") {
  const Architecture architecture = GENERATE(Architecture::encoder_decoder, Architecture::decoder_only);
  const auto objective = make_objective("ul2", {}, ul2_context(96, architecture));
  const ObjectiveLengths lengths = objective->lengths();
  std::set<int64_t> modes;
  for (int64_t raw = 1; raw <= lengths.raw; ++raw) {
    for (uint64_t sample = 0; sample < 30; ++sample) {
      const Shown pair = denoised(*objective, ids_between(200, 32000, raw, 1), sample);
      const bool joined = architecture == Architecture::decoder_only;
      REQUIRE(std::ssize(pair.ids) + (joined ? std::ssize(pair.target) : 0) <= 96);
      REQUIRE(std::ssize(pair.ids) <= lengths.source);
      REQUIRE(std::ssize(pair.target) <= lengths.target);
      REQUIRE(pair.unlabeled.empty());
      modes.insert(pair.ids[3]);
    }
  }
  CHECK(modes == std::set<int64_t>{'U', 'G', 'S'});
}

TEST_CASE("ul2: denoisers are drawn by their weights, a function of the stream") {
  Settings settings;
  for (const std::string& name : kNames) {
    settings[name] = name == "s_25" ? 2.0 : name == "x_3_50" ? 0.0 : 1.0;
  }
  const auto objective = make_objective("ul2", settings, ul2_context(128));
  const Ids ids = ids_between(200, 32000, 60, 1);
  std::map<int64_t, int64_t> seen;
  for (uint64_t sample = 0; sample < 20'000; ++sample) {
    ++seen[denoised(*objective, ids, sample).ids[3]];
  }
  // 2 of r, 3 of x, s twice: of 7.
  CHECK(chi_squared({seen['U'], seen['G'], seen['S']}, {2.0 / 7, 3.0 / 7, 2.0 / 7}) < chi_squared_limit(2));
  CHECK(denoised(*objective, ids, 3).ids == denoised(*objective, ids, 3).ids);
}

TEST_CASE("ul2: tails of s are uniform and a quarter of the text on average, over a million tokens") {
  constexpr int64_t kLength = 40;  // tails of 1 to 19
  const auto objective = make_objective("ul2", only("s_25"), ul2_context(128));
  const Ids ids = ids_between(200, 32000, kLength, 1);
  std::vector<int64_t> counts(19, 0);
  for (uint64_t sample = 0; sample < 25'000; ++sample) {
    const Shown pair = denoised(*objective, ids, sample);
    ++counts.at(pair.target.size() - 2);
    REQUIRE(pair.ids.size() + pair.target.size() == kLength + 6);
  }
  CHECK(chi_squared(counts, std::vector<double>(19, 1.0 / 19)) < chi_squared_limit(18));
}

TEST_CASE("ul2: what cannot work is refused with the numbers") {
  Settings none = only("");
  CHECK_THROWS_WITH(make_objective("ul2", none, ul2_context(64)),
                    "all weights of ul2 are 0; legal is at least one above");
  ObjectiveContext few = ul2_context(128);
  few.vocabulary.sentinels.resize(10);
  CHECK_THROWS_WITH(
      make_objective("ul2", {}, few),
      "ul2 needs 21 sentinels for the 124 tokens of a window (data.sequence_length 128, denoiser "
      "x_3_50) but the tokenizer has 10; set weights.x_3_50: 0 or a smaller data.sequence_length");
  few.vocabulary.sentinels.clear();
  CHECK_NOTHROW(make_objective("ul2", only("s_25"), few));
  CHECK_THROWS_WITH(make_objective("ul2", {}, ul2_context(6)),
                    "data.sequence_length is 6 but ul2 with its modes needs at least 7");
}

TEST_CASE("ul2: a plan whose tokenizer is not trained counts the most ids that modes may have") {
  ObjectiveContext context = ul2_context(64);
  context.vocabulary.ask = {};
  // [S2S] has five bytes, and one id more may begin a word.
  CHECK(make_objective("ul2", only("s_25"), context)->lengths().raw == 64 - 6);
}
