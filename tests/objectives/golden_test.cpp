// Against tests/golden/objectives.py, an independent implementation in numpy.
#include <numeric>

#include "base/another_sample.h"
#include "io/json.h"
#include "objectives/parts/bart_noise.h"
#include "objectives/parts/denoiser.h"
#include "objectives/parts/masking.h"
#include "objectives/parts/middle.h"
#include "objectives/parts/noise.h"
#include "objectives/parts/word_spans.h"
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

TEST_CASE("whole words are taken as create_pretraining_data takes them") {
  REQUIRE(goldens()["words"].size() == 6);
  for (const Json& given : goldens()["words"]) {
    std::vector<WordEdges> edges;  // of id i, which stands at i
    for (const Json& begins : given["begins"]) {
      edges.push_back({.begins = begins == 1});
    }
    Ids ids(edges.size());
    std::iota(ids.begin(), ids.end(), 0);
    const Units words = words_of(ids, edges);
    const Ids taken = take_fitting(words, given["order"].get<Ids>(), given["budget"].get<int64_t>());
    CHECK(chosen_of(words, taken).positions == given["positions"].get<Ids>());
  }
}

TEST_CASE("spans are taken as GPT-BERT's threshold takes them") {
  REQUIRE(goldens()["tiles"].size() == 6);
  for (const Json& given : goldens()["tiles"]) {
    const auto tiles = given["tiles"].get<Ids>();
    Units spans;
    for (int64_t i = 0; i < std::ssize(tiles); ++i) {
      spans.positions.push_back(i);
      if (i + 1 == std::ssize(tiles) || tiles[i + 1] != tiles[i]) {
        spans.ends.push_back(i + 1);
      }
    }
    const Ids taken = take_until(spans, given["order"].get<Ids>(), given["count"].get<int64_t>());
    CHECK(chosen_of(spans, taken).positions == given["positions"].get<Ids>());
  }
}

TEST_CASE("spans of words equal SpanBERT's for the same draws") {
  REQUIRE(goldens()["word_spans"].size() == 8);
  for (const Json& given : goldens()["word_spans"]) {
    std::vector<WordEdges> edges;
    for (const Json& begins : given["begins"]) {
      edges.push_back({.begins = begins == 1});
    }
    Ids ids(edges.size());
    std::iota(ids.begin(), ids.end(), 0);
    const Units words = words_of(ids, edges);
    HiddenText text(words, std::ssize(given["positions"]));
    for (const Json& drawn : given["draws"]) {
      text.hide(drawn[1].get<int64_t>(), drawn[0].get<int64_t>());
    }
    CHECK(text.is_full());
    const Units spans = text.spans();
    CHECK(spans.positions == given["positions"].get<Ids>());
    REQUIRE(spans.count() == std::ssize(given["spans"]));
    for (int64_t span = 0; span < spans.count(); ++span) {
      CHECK(spans.at(span).front() == given["spans"][static_cast<size_t>(span)][0].get<int64_t>());
      CHECK(spans.at(span).back() == given["spans"][static_cast<size_t>(span)][1].get<int64_t>());
    }
  }
}

TEST_CASE("numbers of predictions equal Python's rounding, to even and by chance") {
  for (const Json& row : goldens()["roundings"]) {
    const auto length = row[0].get<int64_t>();
    const auto rate = row[1].get<double>();
    CAPTURE(row.dump());
    CHECK(at_least_one(length, rate) == row[3].get<int64_t>());
    CHECK(rounded_by_chance(rate * static_cast<double>(length), row[2].get<double>()) ==
          row[4].get<int64_t>());
  }
}

TEST_CASE("rates on a straight line equal Python's") {
  const Rate rate{RateSchedule{.from = 0.3, .to = 0.15}};
  for (const Json& row : goldens()["schedules"]) {
    const TrainingPlace place{.step = row[0].get<int64_t>(), .steps = 250};
    CHECK(rate.at(place) == Approx(row[1].get<double>()).epsilon(1e-12));
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

TEST_CASE("lengths of every limit from 4 to 2048 equal those found by trying") {
  REQUIRE(goldens()["every_length"].size() == 7);
  for (const Json& table : goldens()["every_length"]) {
    const SpanNoise noise{table["density"].get<double>(), table["mean_length"].get<double>()};
    const SentinelForm form{.sentinels = {}, .eos = 1};
    const auto raws = table["raw"].get<std::string>();
    const auto slacks = table["slack"].get<std::string>();
    const auto targets = table["target"].get<std::string>();
    REQUIRE(raws.size() == 2045);
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    int64_t raw = 0;
    int64_t target = 0;
    for (size_t i = 0; i < raws.size(); ++i) {
      const auto limit = static_cast<int64_t>(i) + 4;
      raw += digit(raws[i]);
      target += digit(targets[i]);
      const SpanLengths lengths = solve_span_lengths(limit, false, noise, form);
      CAPTURE(noise.density, noise.mean_length, limit);
      REQUIRE(lengths.raw == raw);
      REQUIRE(lengths.source == limit - digit(slacks[i]));
      REQUIRE(lengths.target == target);
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

namespace {

Sample document_of(const Json& sentences) {
  Sample sample;
  for (const Json& sentence : sentences) {
    sample.sentence_starts.push_back(std::ssize(sample.ids));
    for (const Json& id : sentence) {
      sample.ids.push_back(id.get<int64_t>());
    }
  }
  return sample;
}

// What an example shows before it is masked: ids, token types and the class of the pair, -1 without one.
Json unmasked(const Example& example) {
  Ids ids = example.sequences.front().ids;
  const Target& masked = example.targets.front();
  for (size_t i = 0; i < masked.at.size(); ++i) {
    ids[static_cast<size_t>(masked.at[i])] = masked.labels[i];
  }
  const int64_t label = example.targets.size() == 2 ? example.targets[1].labels.front() : -1;
  return {ids, example.sequences.front().token_types, label};
}

}  // namespace

TEST_CASE("pairs of sentences are those of create_pretraining_data for the same draws") {
  REQUIRE(goldens()["sentences"].size() == 24);
  for (const Json& given : goldens()["sentences"]) {
    ObjectiveContext context = bert_context(given["length"].get<int64_t>());
    context.record.sentences = true;
    const Json& documents = given["documents"];
    const SampleSource source{.count = std::ssize(documents), .at = [&](int64_t index) {
                                return document_of(documents[static_cast<size_t>(index)]);
                              }};
    const Sample sample = with_another(source.at(given["index"].get<int64_t>()), source);
    for (const std::string kind : {"next", "order"}) {
      const auto objective = make_objective(kind == "next" ? "next_sentence" : "sentence_order", {}, context);
      Stream stream = stream_of(given["sample"].get<uint64_t>());
      Json made = Json::array();
      for (const Example& example : objective->examples(sample, {}, stream)) {
        made.push_back(unmasked(example));
      }
      CAPTURE(kind, given["sample"].get<int64_t>());
      CHECK(made == given[kind]);
    }
  }
}
