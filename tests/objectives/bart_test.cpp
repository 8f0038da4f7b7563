#include <algorithm>
#include <cmath>
#include <map>

#include <ATen/Context.h>

#include "objectives/parts/bart_noise.h"
#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

using Ids = std::vector<int64_t>;
constexpr int64_t kMask = 4, kFullStop = 9;

// Ids from 60'000 on continue a word.
ObjectiveContext bart_context(int64_t sequence_length,
                              Architecture architecture = Architecture::encoder_decoder) {
  ObjectiveContext context{.vocabulary = {.size = 100'000,
                                          .pad = 0,
                                          .unk = {},
                                          .bos = {},
                                          .eos = 1,
                                          .cls = {},
                                          .sep = {},
                                          .mask = kMask,
                                          .sentinels = {}},
                           .architecture = architecture,
                           .sequence_length = sequence_length,
                           .width = 16,
                           .classes = {}};
  std::vector<WordEdges> edges(100'000);
  for (size_t id = 60'000; id < edges.size(); ++id) {
    edges[id].begins = false;
  }
  context.vocabulary.edges = std::make_shared<const std::vector<WordEdges>>(std::move(edges));
  context.vocabulary.ask.id_of_piece = [](std::string_view piece) {
    return piece == "." ? std::optional(kFullStop) : std::nullopt;
  };
  return context;
}

// Nothing but what `settings` ask for.
std::shared_ptr<Objective> plain_bart(Settings settings, const ObjectiveContext& context) {
  for (const std::string name : {"permute_sentences", "mask", "mask_random", "rotate"}) {
    settings.try_emplace(name, 0.0);
  }
  return make_objective("bart", settings, context);
}

Shown ruined(const Objective& objective, const Ids& ids, uint64_t sample) {
  Stream stream = stream_of(sample);
  return shown(objective.example({.ids = ids}, {}, stream));
}

Ids counting(int64_t first, int64_t count) {
  Ids ids;
  for (int64_t i = 0; i < count; ++i) {
    ids.push_back(first + i);
  }
  return ids;
}

}  // namespace

TEST_CASE("bart: the worked example of its noises") {
  const Ids text{11, 12, 13, 9, 14, 15, 9};
  const Ids ends = sentence_ends(text, Ids{9});
  CHECK(ends == Ids{4, 7});
  CHECK(sentence_ends(Ids{11, 12, 9, 9, 14}, Ids{9}) == Ids{3, 5});
  const Ids permuted = reorder(text, ends, Ids{1, 0});
  CHECK(permuted == Ids{14, 15, 9, 11, 12, 13, 9});
  const std::vector<uint8_t> begins{1, 1, 1, 1, 1, 0, 1};
  const Ids masked = infill_spans(permuted, begins, std::vector<InfilledSpan>{{1, 2, kMask}, {4, 1, kMask}});
  CHECK(masked == Ids{14, 4, 11, 4, 9});
  CHECK(insert_at(masked, Ids{2}, Ids{kMask}) == Ids{14, 4, 4, 11, 4, 9});
  CHECK(erase_at(text, Ids{0, 6}) == Ids{12, 13, 9, 14, 15});
}

TEST_CASE("bart: lengths are Poisson's, and zeros among them, over a million words") {
  const PoissonLengths lengths(3);
  std::vector<int64_t> counts(10, 0);  // the last: 9 and more
  Stream stream = stream_of(1);
  for (int i = 0; i < 350'000; ++i) {
    ++counts[static_cast<size_t>(std::min<int64_t>(lengths.draw(stream), 9))];
  }
  std::vector<double> probabilities;
  double left = 1, probability = std::exp(-3.0);
  for (int k = 0; k < 9; ++k) {
    probabilities.push_back(probability);
    left -= probability;
    probability *= 3.0 / (k + 1);
  }
  probabilities.push_back(left);
  CHECK(chi_squared(counts, probabilities) < chi_squared_limit(9));
  for (int i = 0; i < 100; ++i) {
    const Ids drawn = lengths.draw_until(20, stream);
    int64_t sum = 0;
    for (const int64_t length : drawn) {
      sum += length;
    }
    REQUIRE(sum == 20);
    REQUIRE(drawn.back() > 0);
  }
}

TEST_CASE("bart: a share of the words is behind masks, ten percent of them random, over a million tokens") {
  const auto objective =
      plain_bart({{"mask", 0.3}, {"mask_random", 0.1}, {"mean_length", 3.0}}, bart_context(512));
  int64_t spans = 0, masks = 0, kept = 0, tokens = 0;
  for (uint64_t sample = 0; tokens < 1'000'000; ++sample) {
    const Ids ids = counting(10'000, 500);
    const Shown pair = ruined(*objective, ids, sample);
    REQUIRE(pair.unlabeled.empty());
    REQUIRE(Ids(pair.target.begin(), pair.target.end() - 1) == ids);
    for (const int64_t id : pair.ids) {
      masks += id == kMask ? 1 : 0;
      kept += id >= 10'000 && id < 10'500 ? 1 : 0;
    }
    spans += std::ssize(pair.ids) - 1;
    tokens += 500;
  }
  const auto fillers = static_cast<double>(spans - kept);  // random ids are of the text once in 200
  // A tenth of the spans; of the two or three inserted masks of a text one, for shares are rounded up.
  CHECK(static_cast<double>(masks) / fillers < 0.9);
  CHECK(static_cast<double>(masks) / fillers > 0.87);
  // Budget 150 words in spans of 3 on average, of which some overlap: each place is hidden by a span that begins up to
  // its length before it, so less than 0.3 is hidden.
  const double hidden = 1 - static_cast<double>(kept) / static_cast<double>(tokens);
  CHECK(hidden < 0.3);
  CHECK(hidden > 0.24);
}

TEST_CASE("bart: spans are whole words, unless they count tokens") {
  // Words of two tokens: 10'000 60'000 10'001 60'001 ...
  Ids ids;
  for (int64_t word = 0; word < 40; ++word) {
    ids.push_back(10'000 + word);
    ids.push_back(60'000 + word);
  }
  const bool whole = GENERATE(true, false);
  const auto objective = plain_bart({{"mask", 0.3}, {"whole_words", whole}}, bart_context(128));
  bool divided = false;
  for (uint64_t sample = 0; sample < 50; ++sample) {
    const Ids source = ruined(*objective, ids, sample).ids;
    const auto has = [&](int64_t id) { return std::ranges::find(source, id) != source.end(); };
    for (int64_t word = 0; word < 40; ++word) {
      divided |= has(10'000 + word) != has(60'000 + word);
    }
  }
  CHECK(divided == !whole);
}

TEST_CASE("bart: sentences come in every order, and a share of them stays") {
  const auto objective = plain_bart({{"permute_sentences", 1.0}}, bart_context(64));
  const Ids ids{11, kFullStop, 12, 13, kFullStop, 14};
  std::map<Ids, int64_t> orders;
  for (uint64_t sample = 0; sample < 30'000; ++sample) {
    ++orders[ruined(*objective, ids, sample).ids];
  }
  REQUIRE(orders.size() == 6);
  CHECK(orders.contains(Ids{14, 12, 13, kFullStop, 11, kFullStop, 1}));
  std::vector<int64_t> counts;
  for (const auto& [order, count] : orders) {
    counts.push_back(count);
  }
  CHECK(chi_squared(counts, std::vector<double>(6, 1.0 / 6)) < chi_squared_limit(5));
  Stream stream = stream_of(1);
  for (int i = 0; i < 100; ++i) {
    const Ids order = draw_order(10, 0.25, stream);  // 3 of 10 change places among themselves
    int64_t moved = 0;
    for (int64_t place = 0; place < 10; ++place) {
      moved += order[static_cast<size_t>(place)] != place ? 1 : 0;
    }
    REQUIRE(moved <= 3);
    REQUIRE(std::ranges::is_permutation(order, counting(0, 10)));
  }
}

TEST_CASE("bart: rotation begins at any token, insertion and deletion have exactly their shares") {
  const Ids ids = counting(11, 10);
  const auto rotating = plain_bart({{"rotate", 1.0}}, bart_context(64));
  std::vector<int64_t> firsts(10, 0);
  for (uint64_t sample = 0; sample < 20'000; ++sample) {
    Ids source = ruined(*rotating, ids, sample).ids;
    source.pop_back();
    ++firsts.at(static_cast<size_t>(source.front() - 11));
    std::ranges::rotate(source, std::ranges::find(source, 11));
    REQUIRE(source == ids);
  }
  CHECK(chi_squared(firsts, std::vector<double>(10, 0.1)) < chi_squared_limit(9));

  const auto inserting = plain_bart({{"insert", 0.25}}, bart_context(64));
  const Ids longer = ruined(*inserting, ids, 1).ids;
  CHECK(std::ssize(longer) == 10 + 3 + 1);
  CHECK(std::count(longer.begin(), longer.end(), kMask) == 3);
  const auto deleting = plain_bart({{"delete_tokens", 0.25}}, bart_context(64));
  const Ids shorter = ruined(*deleting, ids, 1).ids;
  CHECK(std::ssize(shorter) == 10 - 3 + 1);
  CHECK(std::ranges::includes(ids, Ids(shorter.begin(), shorter.end() - 1)));
}

TEST_CASE("bart: dialects are shares, which options override") {
  const Ids ids = counting(11, 40);
  const auto fairseq = make_objective("bart", {{"dialect", "fairseq"}}, bart_context(64));
  const auto half = plain_bart({{"rotate", 0.5}}, bart_context(64));
  const auto recipe = make_objective("bart", {}, bart_context(64));
  const auto spelled = make_objective("bart",
                                      {{"permute_sentences", 1.0},
                                       {"mask", 0.3},
                                       {"mask_random", 0.1},
                                       {"rotate", 0.0},
                                       {"dialect", "fairseq"}},
                                      bart_context(64));
  for (uint64_t sample = 0; sample < 20; ++sample) {
    CHECK(ruined(*fairseq, ids, sample).ids == ruined(*half, ids, sample).ids);
    CHECK(ruined(*recipe, ids, sample).ids == ruined(*spelled, ids, sample).ids);
  }
}

TEST_CASE("bart: no source or target is longer than promised, at any length of text") {
  const Architecture architecture = GENERATE(Architecture::encoder_decoder, Architecture::decoder_only);
  const double insert = GENERATE(0.0, 0.5);
  const auto objective =
      make_objective("bart", {{"insert", insert}, {"mean_length", 0.5}}, bart_context(80, architecture));
  const ObjectiveLengths lengths = objective->lengths();
  CHECK(lengths.raw ==
        (architecture == Architecture::encoder_decoder ? (insert == 0 ? 79 : 52) : (insert == 0 ? 39 : 31)));
  for (int64_t raw = 1; raw <= lengths.raw; ++raw) {
    for (uint64_t sample = 0; sample < 20; ++sample) {
      const Shown pair = ruined(*objective, ids_between(10, 99'000, raw, sample), sample);
      REQUIRE(std::ssize(pair.ids) <= lengths.source);
      REQUIRE(std::ssize(pair.target) == raw + 1);
    }
  }
}

TEST_CASE("bart: what cannot work is refused at construction") {
  ObjectiveContext no_mask = bart_context(64);
  no_mask.vocabulary.mask.reset();
  CHECK_THROWS_WITH(make_objective("bart", {}, no_mask),
                    "bart needs a tokenizer with [MASK], and this one has none");
  CHECK_NOTHROW(make_objective("bart", {{"dialect", "fairseq"}}, no_mask));
  ObjectiveContext no_words = bart_context(64);
  no_words.vocabulary.edges = nullptr;
  CHECK_THROWS_WITH(make_objective("bart", {}, no_words), Contains("whole_words needs a tokenizer"));
  CHECK_NOTHROW(make_objective("bart", {{"whole_words", false}}, no_words));
  ObjectiveContext no_stop = bart_context(64);
  no_stop.vocabulary.ask.id_of_piece = [](std::string_view) { return std::optional<int64_t>(); };
  CHECK_THROWS_WITH(make_objective("bart", {}, no_stop),
                    Contains("the tokenizer has no token '.'; name others in full_stops"));
  CHECK_NOTHROW(make_objective("bart", {{"permute_sentences", 0.0}}, no_stop));
  CHECK_THROWS_WITH(make_objective("bart", {}, bart_context(2)),
                    "data.sequence_length is 2 but bart needs at least 3");
}

TEST_CASE("bart: a model learns one batch by heart") {
  at::manual_seed(1);
  ObjectiveContext context = bart_context(32);
  context.vocabulary.size = 50;
  const auto objective = make_objective("bart", {}, context);
  const Batch batch = batch_of(
      {ruined(*objective, ids_between(10, 50, 30, 1), 1), ruined(*objective, ids_between(10, 50, 20, 2), 2)});
  TinyModel model(Architecture::encoder_decoder, 50);
  const Overfit result = overfit(*objective, model, batch);
  CHECK(result.last < 0.1 * result.first);
  CHECK(result.accuracy == 1);
}
