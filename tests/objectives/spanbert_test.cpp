#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/Context.h>

#include "objectives/parts/word_spans.h"
#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

// Of ids from 10 on every one begins a word that is even.
ObjectiveContext spanbert_context(int64_t vocabulary = 100) {
  std::vector<WordEdges> edges(static_cast<size_t>(vocabulary), {.begins = true, .ends = true});
  for (int64_t id = 10; id < vocabulary; ++id) {
    edges[static_cast<size_t>(id)] = {.begins = id % 2 == 0};
  }
  return {.vocabulary = {.size = vocabulary,
                         .pad = 0,
                         .unk = 1,
                         .bos = {},
                         .eos = {},
                         .cls = 2,
                         .sep = 3,
                         .mask = 4,
                         .sentinels = {},
                         .edges = std::make_shared<const std::vector<WordEdges>>(edges)},
          .sequence_length = 128,
          .width = 16,
          .classes = {}};
}

Example spanned(const Objective& objective, const std::vector<int64_t>& ids, uint64_t sample) {
  Stream stream = stream_of(sample);
  return objective.example({.ids = ids}, {}, stream);
}

Units words_of_one(int64_t count) {
  Units words;
  for (int64_t i = 0; i < count; ++i) {
    words.append(std::array{i});
  }
  return words;
}

}  // namespace

TEST_CASE("spans of words: shares of lengths are those of the cut geometric distribution") {
  const std::vector<double> shares = word_span_shares({});
  const std::vector<double> expected{
      .2241, .1792, .1434, .1147, .0918, .0734, .0587, .0470, .0376, .0301};  // Joshi et al. 2020, figure 2
  REQUIRE(shares.size() == 10);
  double mean = 0;
  for (size_t i = 0; i < 10; ++i) {
    CHECK(shares[i] == Approx(expected[i]).margin(5e-5));
    mean += shares[i] * static_cast<double>(i + 1);
  }
  CHECK(mean == Approx(3.797).margin(5e-4));
}

TEST_CASE(
    "spans of words: the budget is exact and rounded up, and first spans have the lengths of the shares") {
  std::vector<int64_t> lengths(10, 0);
  // One span of up to 10 words in 100 where the budget is 10: the first draw shows where it is not cut.
  constexpr int64_t kWords = 100;
  const Units words = words_of_one(kWords);
  const std::vector<double> shares = word_span_shares({});
  int64_t other_budgets = 0, not_hidden = 0;  // counted, for a REQUIRE of each would take ten times as long
  for (uint64_t sample = 0; sample < 100'000; ++sample) {
    Stream stream = stream_of(sample);
    Stream same = stream_of(sample);
    const double u = same.uniform();
    const Units spans = draw_word_spans(words, {.rate = 0.1}, stream).spans;
    other_budgets += spans.positions.size() == 10 ? 0 : 1;
    double below = 0;
    int64_t length = 1;
    while (length < 10 && u >= (below += shares[static_cast<size_t>(length - 1)])) {
      ++length;
    }
    const auto anchor = static_cast<int64_t>(same.below(kWords));
    const int64_t end = std::min(anchor + length, kWords);
    for (int64_t i = anchor; i < end; ++i) {
      not_hidden += std::ranges::binary_search(spans.positions, i) ? 0 : 1;
    }
    ++lengths[static_cast<size_t>(length - 1)];
  }
  CHECK(other_budgets == 0);
  CHECK(not_hidden == 0);
  CHECK(chi_squared(lengths, shares) < chi_squared_limit(9));
  for (int64_t length = 1; length < 200; ++length) {
    Stream stream = stream_of(static_cast<uint64_t>(length));
    const Units spans = draw_word_spans(words_of_one(length), {}, stream).spans;
    REQUIRE(std::ssize(spans.positions) ==
            static_cast<int64_t>(std::ceil(static_cast<double>(length) * 0.15)));
  }
}

TEST_CASE("spanbert: the worked example of its header") {
  const auto objective =
      make_objective("spanbert", {{"mask_share", 1.0}, {"random_share", 0.0}}, spanbert_context());
  const std::vector<int64_t> text = ids_between(5, 50, 40, 3);
  for (uint64_t sample = 0; sample < 100; ++sample) {
    const Example example = spanned(*objective, text, sample);
    const Target& masked = example.targets.at(0);
    REQUIRE(masked.at.size() == 6);  // 40 · 0.15
    std::vector<int64_t> ids{2};
    ids.insert(ids.end(), text.begin(), text.end());
    ids.push_back(3);
    const std::vector<int64_t> whole = ids;
    for (size_t i = 0; i < 6; ++i) {
      CHECK(masked.labels[i] == ids[masked.at[i]]);
      ids[masked.at[i]] = 4;
    }
    CHECK(example.sequences.front().ids == ids);

    // Each masked piece between two others of the text is told from them.
    const Target& around = example.targets.at(1);
    CHECK(around.slot == 1);
    REQUIRE(around.at.size() == 3 * around.labels.size());
    size_t inside = 0;
    for (const int64_t position : masked.at) {
      int64_t left = position;
      int64_t right = position;
      while (ids[left] == 4) {
        --left;
      }
      while (ids[right] == 4) {
        ++right;
      }
      if (left > 0 && right < 41) {
        CHECK(around.at[3 * inside] == left);
        CHECK(around.at[3 * inside + 1] == right);
        CHECK(around.at[3 * inside + 2] == position);
        CHECK(around.labels[inside] == whole[position]);
        ++inside;
      }
    }
    CHECK(around.labels.size() == inside);
  }
}

TEST_CASE("spanbert: a span shares its fate, and random ids are drawn anew for each piece") {
  const auto objective = make_objective("spanbert", {{"rate", 0.1}}, spanbert_context());
  int64_t spans = 0;
  int64_t masked = 0;
  int64_t kept = 0;
  int64_t alike = 0;
  int64_t random_pairs = 0;
  for (uint64_t sample = 0; sample < 20'000; ++sample) {
    const std::vector<int64_t> text(100, 5);  // specials 0 ... 4; id 5 is a word of its own
    const Example example = spanned(*objective, text, sample);
    const std::vector<int64_t>& ids = example.sequences.front().ids;
    const std::vector<int64_t>& at = example.targets.front().at;
    for (size_t i = 0; i < at.size();) {
      size_t end = i + 1;
      while (end < at.size() && at[end] == at[end - 1] + 1) {
        ++end;
      }
      const auto first = ids.begin() + at[i];
      const auto length = static_cast<int64_t>(end - i);
      const auto masks = std::count(first, first + length, 4);
      REQUIRE((masks == 0 || masks == length));
      ++spans;
      masked += masks > 0 ? 1 : 0;
      const bool same = std::count(first, first + length, 5) == length;
      kept += same ? 1 : 0;
      if (masks == 0 && !same && length > 1) {
        ++random_pairs;
        alike += first[0] == first[1] ? 1 : 0;
      }
      i = end;
    }
  }
  const auto n = static_cast<double>(spans);
  CHECK(std::abs(static_cast<double>(masked) - 0.8 * n) < five_sigma(n, 0.8));
  CHECK(static_cast<double>(kept) > 0.1 * n - five_sigma(n, 0.1));
  CHECK(static_cast<double>(kept) < 0.102 * n + five_sigma(n, 0.1));  // a random id may be the same
  CHECK(random_pairs > 1000);
  CHECK(static_cast<double>(alike) < static_cast<double>(random_pairs) * 0.03);
}

TEST_CASE("spanbert: the boundary loss counts beside the masked one, and both are learned") {
  at::manual_seed(1);
  const ObjectiveContext context = spanbert_context(40);
  const auto objective = make_objective("spanbert", {{"rate", 0.3}, {"position_width", int64_t{8}}}, context);
  const Batch batch = batch_of({spanned(*objective, ids_between(10, 40, 20, 1), 1),
                                spanned(*objective, ids_between(10, 40, 30, 2), 2)},
                               objective->slots());
  REQUIRE(batch.slots[1].count() > 0);
  REQUIRE(batch.slots[1].rows.size(1) == 3);
  TinyModel model(Architecture::encoder_only, 40);
  const Overfit result = overfit(*objective, model, batch);
  CHECK(result.last < 0.3 * result.first);
  Stream stream({});
  const Losses losses = objective->loss(model, batch, stream);
  REQUIRE(losses.size() == 2);
  // Of 40 ids: log 40 = 3.69 is chance.
  CHECK(losses[1].sum.item<double>() / batch.slots[1].total < 2.2);

  const auto plain = make_objective("spanbert", {{"boundary_weight", 0.0}}, context);
  CHECK(plain->parameters().empty());
  CHECK(spanned(*plain, ids_between(10, 40, 20, 1), 1).targets.at(1).labels.empty());
}

TEST_CASE("spanbert: what cannot work is refused") {
  ObjectiveContext context = spanbert_context();
  context.vocabulary.edges.reset();
  CHECK_THROWS_WITH(make_objective("spanbert", {}, context),
                    "spanbert needs a tokenizer that tells where words begin, and this one does not");
  context = spanbert_context();
  context.vocabulary.mask.reset();
  CHECK_THROWS_WITH(make_objective("spanbert", {}, context), Contains("[MASK]"));
  context = spanbert_context();
  context.architecture = Architecture::encoder_decoder;
  CHECK_THROWS_WITH(make_objective("spanbert", {}, context), Contains("it needs an encoder-only model"));
}
