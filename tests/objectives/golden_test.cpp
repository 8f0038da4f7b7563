// Against tests/golden/objectives.py, an independent implementation in numpy.
#include "io/json.h"
#include "objectives/parts/bart_noise.h"
#include "objectives/parts/denoiser.h"
#include "objectives/parts/middle.h"
#include "objectives/support.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

using Ids = std::vector<int64_t>;

const Json& goldens() {
  static const Json document = read_json(golden("objectives.json"));
  return document;
}

}  // namespace

TEST_CASE("sentinels of random masks equal the array implementation") {
  REQUIRE(goldens()["spans"].size() == 24);
  for (const Json& given : goldens()["spans"]) {
    SentinelForm form{.sentinels = t5_vocabulary().sentinels, .eos = 1};
    const auto ids = given["ids"].get<Ids>();
    const auto mask = given["mask"].get<std::vector<uint8_t>>();
    const CorruptedText pair = replace_spans(ids, mask, form);
    CHECK(pair.source == given["source"].get<Ids>());
    CHECK(pair.target == given["target"].get<Ids>());
    form.closing = true;
    CHECK(replace_spans(ids, mask, form).target == given["closing"].get<Ids>());
  }
}

TEST_CASE("masked tokens equal the array implementation") {
  REQUIRE(goldens()["masked"].size() == 4);
  for (const Json& given : goldens()["masked"]) {
    const MaskedText example = replace_tokens(
        given["ids"].get<Ids>(), given["positions"].get<Ids>(), given["replacements"].get<Ids>());
    CHECK(example.ids == given["input"].get<Ids>());
    Ids labels(example.ids.size(), -100);
    for (size_t i = 0; i < example.positions.size(); ++i) {
      labels[example.positions[i]] = example.labels[i];
    }
    CHECK(labels == given["labels"].get<Ids>());
  }
}

TEST_CASE("span counts equal Python's rounding") {
  for (const Json& table : goldens()["counts"]) {
    const SpanNoise noise{table["density"].get<double>(), table["mean_length"].get<double>()};
    for (const Json& row : table["values"]) {
      const SpanCounts counts = span_counts(row[0].get<int64_t>(), noise);
      CAPTURE(noise.density, noise.mean_length, row.dump());
      CHECK(counts.noise == row[1].get<int64_t>());
      CHECK(counts.spans == row[2].get<int64_t>());
    }
  }
}

TEST_CASE("solved lengths equal those found by trying every length") {
  for (const Json& table : goldens()["lengths"]) {
    const SpanNoise noise{table["density"].get<double>(), table["mean_length"].get<double>()};
    for (const Json& row : table["values"]) {
      const SentinelForm form{.sentinels = {}, .eos = 1};
      const SpanLengths lengths = solve_span_lengths(row[0].get<int64_t>(), false, noise, form);
      CAPTURE(noise.density, noise.mean_length, row.dump());
      CHECK(lengths.raw == row[1].get<int64_t>());
      CHECK(lengths.source == row[2].get<int64_t>());
      CHECK(lengths.target == row[3].get<int64_t>());
    }
  }
}

TEST_CASE("span counts equal those of each program's own arithmetic") {
  REQUIRE(goldens()["rules"].size() == 14);
  for (const Json& table : goldens()["rules"]) {
    const SpanNoise noise{.density = table["density"].get<double>(),
                          .mean_length = table["mean_length"].get<double>(),
                          .rule = table["rule"] == "t5-hf" ? CountRule::t5_hf : CountRule::t5_google};
    for (const Json& row : table["values"]) {
      const SpanCounts counts = span_counts(row[0].get<int64_t>(), noise);
      CAPTURE(table["rule"].dump(), noise.density, noise.mean_length, row.dump());
      CHECK(counts.noise == row[1].get<int64_t>());
      CHECK(counts.spans == row[2].get<int64_t>());
    }
  }
}

TEST_CASE("dropped tokens equal the array implementation") {
  for (const Json& given : goldens()["spans"]) {
    const auto mask = given["mask"].get<std::vector<uint8_t>>();
    const CorruptedText pair = drop_tokens(given["ids"].get<Ids>(), mask, 1);
    CHECK(pair.source == given["kept"].get<Ids>());
    CHECK(pair.target == given["dropped"].get<Ids>());
  }
}

TEST_CASE("fill in the middle: both orders equal the array implementation") {
  REQUIRE(goldens()["middles"].size() == 5);
  for (const Json& given : goldens()["middles"]) {
    MiddleTokens tokens{.prefix = 32099, .suffix = 32098, .middle = 32097};
    for (const std::string order : {"psm", "spm"}) {
      tokens.suffix_first = order == "spm";
      Ids ids = before_middle(given["prefix"].get<Ids>(), given["suffix"].get<Ids>(), tokens);
      for (const int64_t id : given["middle"].get<Ids>()) {
        ids.push_back(id);
      }
      ids.push_back(1);
      CHECK(ids == given[order].get<Ids>());
    }
  }
}

TEST_CASE("the noises of BART equal the array implementation") {
  REQUIRE(goldens()["bart"].size() == 6);
  for (const Json& given : goldens()["bart"]) {
    const Ids ids = given["ids"].get<Ids>();
    const Ids ends = sentence_ends(ids, Ids{9});
    CHECK(ends == given["ends"].get<Ids>());
    CHECK(reorder(ids, ends, given["order"].get<Ids>()) == given["permuted"].get<Ids>());
    std::vector<InfilledSpan> spans;
    for (const Json& span : given["spans"]) {
      spans.push_back({span[0].get<int64_t>(), span[1].get<int64_t>(), span[2].get<int64_t>()});
    }
    CHECK(infill_spans(ids, given["begins"].get<std::vector<uint8_t>>(), spans) ==
          given["infilled"].get<Ids>());
    CHECK(insert_at(ids, given["places"].get<Ids>(), Ids{4, 70, 4}) == given["inserted"].get<Ids>());
    CHECK(erase_at(ids, given["erased"].get<Ids>()) == given["rest"].get<Ids>());
  }
}
