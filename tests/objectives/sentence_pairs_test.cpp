// Next sentence and sentence order: pairs of segments, their classes, and both losses. Exact pairs: golden_test.cpp.
#include "objectives/parts/sentence_pairs.h"

#include <map>
#include <set>

#include <ATen/Context.h>

#include "base/another_sample.h"
#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

ObjectiveContext pair_context(int64_t sequence_length, int64_t vocabulary = 30522) {
  ObjectiveContext context = bert_context(sequence_length);
  context.vocabulary.size = vocabulary;
  context.record.sentences = true;
  return context;
}

// Sentences of `each` ids that count up from `first`.
Sample counted(int64_t first, int64_t sentences, int64_t each) {
  Sample sample;
  for (int64_t i = 0; i < sentences * each; ++i) {
    if (i % each == 0) {
      sample.sentence_starts.push_back(i);
    }
    sample.ids.push_back(first + i);
  }
  return sample;
}

// A document of ids from 1000 on, beside one from 20000 on.
Sample beside_another(int64_t sentences, int64_t each) {
  Sample sample = counted(1000, sentences, each);
  sample.another = [other = counted(20000, sentences, each)](Stream&) { return other; };
  return sample;
}

struct Segments {
  std::vector<int64_t> first, second;
  int64_t label = -1;
};
// Of an example with nothing masked, or with what was.
Segments segments_of(const Example& example) {
  std::vector<int64_t> ids = example.sequences.front().ids;
  const Target& masked = example.targets.front();
  for (size_t i = 0; i < masked.at.size(); ++i) {
    ids[static_cast<size_t>(masked.at[i])] = masked.labels[i];
  }
  const auto sep = std::ranges::find(ids, 102);
  Segments segments{{ids.begin() + 1, sep}, {}};
  if (example.targets.size() == 2) {
    segments.second = {sep + 1, ids.end() - 1};
    segments.label = example.targets[1].labels.at(0);
  }
  return segments;
}

std::vector<Example> pairs_of(const Objective& objective, const Sample& sample, uint64_t key) {
  Stream stream = stream_of(key);
  return objective.examples(sample, {}, stream);
}

std::vector<int64_t> joined(const Segments& segments) {
  std::vector<int64_t> all = segments.first;
  all.insert(all.end(), segments.second.begin(), segments.second.end());
  return all;
}

}  // namespace

TEST_CASE("a pair that is too long loses ids of the longer segment, at both ends") {
  const Sample sample = counted(0, 2, 10);
  const std::span<const int64_t> all = sample.ids;
  std::map<int64_t, int64_t> begins;
  for (uint64_t key = 0; key < 4096; ++key) {
    Stream stream = stream_of(key);
    const SegmentPair pair = cut_pair(all.first(4), all.subspan(4), 9, stream);  // 4 and 16 ids: 11 too many
    REQUIRE(pair.first == std::vector<int64_t>{0, 1, 2, 3});
    REQUIRE(pair.second.size() == 5);
    REQUIRE(pair.second.back() - pair.second.front() == 4);  // of one piece
    ++begins[pair.second.front() - 4];
  }
  // So many of 11 were taken from the front: binomial.
  std::vector<int64_t> counts(12, 0);
  std::vector<double> shares(12, 1.0 / 2048);
  for (int64_t k = 0; k < 12; ++k) {
    counts[static_cast<size_t>(k)] = begins[k];
    for (int64_t i = 0; i < k; ++i) {
      shares[static_cast<size_t>(k)] *= static_cast<double>(11 - i) / static_cast<double>(i + 1);
    }
  }
  CHECK(chi_squared(counts, shares) < chi_squared_limit(11));
  Stream stream = stream_of(1);
  const SegmentPair even = cut_pair(all.first(10), all.subspan(10), 15, stream);
  CHECK(even.first.size() == 8);  // of two as long the second loses
  CHECK(even.second.size() == 7);
}

TEST_CASE("next_sentence: the worked example") {
  // a b | c | d e, of which a pair of 4 ids has all; the other document is x y | z.
  Sample sample{.ids = {11, 12, 13, 14, 15}, .sentence_starts = {0, 2, 3}};
  sample.another = [](Stream&) { return Sample{.ids = {21, 22, 23}, .sentence_starts = {0, 2}}; };
  const ObjectiveContext context = pair_context(8);
  const auto follows =
      make_objective("next_sentence", {{"negative_share", 0.0}, {"short_share", 0.0}}, context);
  std::set<std::vector<int64_t>> firsts;
  for (uint64_t key = 0; key < 64; ++key) {
    const std::vector<Example> made = pairs_of(*follows, sample, key);
    REQUIRE(made.size() == 1);
    const Segments segments = segments_of(made.front());
    CHECK(joined(segments) == sample.ids);
    CHECK(segments.label == 0);
    firsts.insert(segments.first);
    std::vector<int64_t> types(segments.first.size() + 2, 0);
    types.resize(8, 1);
    CHECK(made.front().sequences.front().token_types == types);
  }
  CHECK(firsts == std::set<std::vector<int64_t>>{{11, 12}, {11, 12, 13}});
  const auto random =
      make_objective("next_sentence", {{"negative_share", 1.0}, {"short_share", 0.0}}, context);
  for (uint64_t key = 0; key < 64; ++key) {
    const std::vector<Example> made = pairs_of(*random, sample, key);
    std::vector<int64_t> read;  // what is left over is read again
    for (const Example& example : made) {
      const Segments segments = segments_of(example);
      CHECK(segments.label == 1);
      read.insert(read.end(), segments.first.begin(), segments.first.end());
      for (const int64_t id : segments.second) {
        CHECK(id >= 21);
      }
    }
    CHECK(read == sample.ids);
  }
}

TEST_CASE("next_sentence: half of the pairs follow, of one sentence none, and no pair is too long") {
  const auto objective = make_objective("next_sentence", {}, pair_context(64));
  int64_t pairs = 0, negatives = 0;
  for (uint64_t key = 0; key < 4000; ++key) {
    const std::vector<Example> made = pairs_of(*objective, beside_another(40, 5), key);
    for (const Example& example : made) {
      const Segments segments = segments_of(example);
      REQUIRE(example.sequences.front().ids.size() <= 64);
      REQUIRE(!segments.first.empty());
      REQUIRE(!segments.second.empty());
      const bool is_random = segments.second.front() >= 20000;
      REQUIRE(is_random == (segments.label == 1));
    }
    if (made.front().sequences.front().ids.size() >=
        60) {  // a long one has a chunk of several sentences first
      ++pairs;
      negatives += made.front().targets[1].labels.front();
    }
  }
  CHECK(std::abs(static_cast<double>(negatives) - 0.5 * static_cast<double>(pairs)) <
        five_sigma(static_cast<double>(pairs), 0.5));
  const auto alone = pairs_of(*objective, beside_another(1, 5), 1);
  REQUIRE(alone.size() == 1);
  CHECK(segments_of(alone.front()).label == 1);
}

TEST_CASE("next_sentence: one document of ten has pairs of a length that is drawn") {
  const auto objective = make_objective("next_sentence", {{"negative_share", 0.0}}, pair_context(64));
  int64_t shorts = 0;
  constexpr int64_t kDocuments = 4000;
  for (uint64_t key = 0; key < kDocuments; ++key) {
    // 61 ids and three special ones; of a length from 56 on 60, for sentences have 5.
    shorts +=
        pairs_of(*objective, beside_another(40, 5), key).front().sequences.front().ids.size() < 63 ? 1 : 0;
  }
  constexpr double kShare = 0.1 * 54 / 60;  // 2 to 55, of 2 to 61
  CHECK(std::abs(static_cast<double>(shorts) - kDocuments * kShare) < five_sigma(kDocuments, kShare));
}

TEST_CASE("sentence_order: half of the pairs have changed places, and both segments are of the document") {
  const auto objective = make_objective("sentence_order", {}, pair_context(64));
  CHECK_FALSE(objective->form().needs_another);
  int64_t pairs = 0, swapped = 0;
  for (uint64_t key = 0; key < 2000; ++key) {
    std::vector<int64_t> read;
    for (const Example& example : pairs_of(*objective, counted(1000, 40, 5), key)) {
      const Segments segments = segments_of(example);
      if (segments.label < 0) {
        continue;
      }
      ++pairs;
      swapped += segments.label;
      REQUIRE((segments.first.front() > segments.second.front()) == (segments.label == 1));
    }
  }
  CHECK(pairs > 5000);
  CHECK(std::abs(static_cast<double>(swapped) - 0.5 * static_cast<double>(pairs)) <
        five_sigma(static_cast<double>(pairs), 0.5));
  const auto alone = pairs_of(*objective, counted(1000, 1, 200), 1);
  REQUIRE(alone.size() == 1);
  CHECK(alone.front().targets.size() == 1);  // masked, without a class
  CHECK(alone.front().sequences.front().ids.size() == 63);
}

TEST_CASE("pairs are masked by any dialect, by words too, between the special ids") {
  const std::string name = GENERATE("next_sentence", "sentence_order");
  const std::string dialect = GENERATE("bert", "hf", "electra", "gpt-bert");
  const auto objective = make_objective(name, {{"dialect", dialect}}, pair_context(64));
  int64_t chosen = 0, ids = 0;
  for (uint64_t key = 0; key < 400; ++key) {
    for (const Example& example : pairs_of(*objective, beside_another(40, 5), key)) {
      for (const int64_t at : example.targets.front().at) {
        const std::vector<int64_t>& read = example.sequences.front().ids;
        REQUIRE((at > 0 && at + 1 < std::ssize(read)));
      }
      for (const int64_t label : example.targets.front().labels) {
        REQUIRE((label != 101 && label != 102));
      }
      chosen += std::ssize(example.targets.front().at);
      ids += std::ssize(example.sequences.front().ids);
    }
  }
  const double share = static_cast<double>(chosen) / static_cast<double>(ids);
  CHECK(share > 0.12);
  CHECK(share < 0.18);
  ObjectiveContext context = pair_context(64);
  context.vocabulary.edges = std::make_shared<const std::vector<WordEdges>>(30522);  // a word each
  CHECK_NOTHROW(pairs_of(*make_objective(name, {{"whole_words", true}}, context), beside_another(9, 5), 1));
}

TEST_CASE("the same stream gives the same pairs, another one others") {
  const std::string name = GENERATE("next_sentence", "sentence_order");
  const auto objective = make_objective(name, {}, pair_context(64));
  const auto ids_of = [&](uint64_t key) {
    std::vector<std::vector<int64_t>> all;
    for (const Example& example : pairs_of(*objective, beside_another(30, 7), key)) {
      all.push_back(example.sequences.front().ids);
    }
    return all;
  };
  CHECK(ids_of(3) == ids_of(3));
  CHECK(ids_of(3) != ids_of(4));
}

TEST_CASE("another document is drawn until its text is another, ten times at most") {
  const std::vector<std::vector<int64_t>> texts{{1}, {1}, {2}, {3}};
  int64_t calls = 0;
  const SampleSource source{.count = 4, .at = [&](int64_t index) {
                              ++calls;
                              return Sample{.ids = texts[static_cast<size_t>(index)]};
                            }};
  const Sample sample = with_another({.ids = {1}}, source);
  std::map<int64_t, int64_t> drawn;
  for (uint64_t key = 0; key < 2000; ++key) {
    Stream stream = stream_of(key);
    ++drawn[sample.another(stream).ids.front()];
  }
  CHECK(drawn[1] < 20);  // ten times its own: one in 1,024
  CHECK(std::abs(static_cast<double>(drawn[2]) - 1000) < five_sigma(2000, 0.5));
  CHECK(calls < 2000 * 3);
  CHECK_THROWS_WITH(with_another({.ids = {1}}, {.count = 1, .at = source.at}),
                    Contains("the text is one document"));
}

TEST_CASE("what pairs cannot do without is refused") {
  const std::string name = GENERATE("next_sentence", "sentence_order");
  const auto make = [&](const ObjectiveContext& context) { return make_objective(name, {}, context); };
  ObjectiveContext plain = pair_context(64);
  plain.record.sentences = false;
  CHECK_THROWS_WITH(make(plain), Contains("learns from sentences: set data.train.sentences to lines"));
  ObjectiveContext no_first = pair_context(64);
  no_first.vocabulary.cls.reset();
  CHECK_THROWS_WITH(make(no_first), name + " needs a tokenizer with [CLS], and this one has none");
  ObjectiveContext writes = pair_context(64);
  writes.architecture = Architecture::encoder_decoder;
  CHECK_THROWS_WITH(make(writes), Contains("it needs an encoder-only model"));
  CHECK_THROWS_WITH(make(pair_context(4)),
                    Contains("sequence_length is 4 but " + name + " needs at least 5"));
  Stream stream = stream_of(1);
  CHECK_THROWS_WITH(make(pair_context(64))->example({.ids = {7, 8}}, {}, stream),
                    Contains(name + " needs documents that are known as sentences"));
  CHECK_FALSE(make(pair_context(64))->cuts(counted(1000, 100, 9)));
}

TEST_CASE("a model learns the hidden ids and the classes of one batch by heart, each loss by its own count") {
  const std::string name = GENERATE("next_sentence", "sentence_order");
  at::manual_seed(1);
  ObjectiveContext context = pair_context(40, 40);
  context.vocabulary = {
      .size = 40, .pad = 0, .unk = 1, .bos = {}, .eos = {}, .cls = 2, .sep = 3, .mask = 4, .sentinels = {}};
  const auto objective = make_objective(name, {{"pair_weight", 0.5}}, context);
  Sample sample{.ids = ids_between(10, 40, 90, 1), .sentence_starts = {0, 10, 20, 30, 40, 50, 60, 70, 80}};
  sample.another = [other = sample](Stream&) { return other; };
  const std::vector<Example> examples = pairs_of(*objective, sample, 3);
  REQUIRE(examples.size() > 1);
  // Of one pair: the model's first state is the same for all, so it cannot tell pairs apart.
  const Batch batch = batch_of({examples.front()}, objective->slots());
  TinyModel model(Architecture::encoder_only, 40);
  Stream stream({});
  const Losses losses = objective->loss(model, batch, stream);
  REQUIRE(losses.size() == 2);
  CHECK(losses[1].slot == 1);
  CHECK(losses[1].weight == 0.5);
  CHECK(losses[1].metrics.at(0).first == "correct");
  CHECK(batch.slots[1].count() == 1);
  const double mean = mean_loss(losses, batch).item<double>();
  CHECK(mean == Approx(losses[0].sum.item<double>() / batch.slots[0].total +
                       0.5 * losses[1].sum.item<double>() / batch.slots[1].total));
  const Overfit result = overfit(*objective, model, batch);
  CHECK(result.accuracy == 1);
  CHECK(result.last < 0.1 * result.first);
}
