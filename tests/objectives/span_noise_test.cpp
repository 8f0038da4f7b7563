#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "objectives/parts/noise.h"
#include "objectives/support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

const std::vector<SpanNoise> noises{
    {0.15, 3}, {0.15, 8}, {0.15, 64}, {0.5, 3}, {0.5, 8}, {0.5, 64}, {0.9, 1}, {0.02, 3}};

// Enough sentinels for any length of these tests, descending from 99999.
SentinelForm form_of(bool closing) {
  SentinelForm form{.sentinels = {}, .eos = 1, .closing = closing};
  for (int64_t i = 0; i < 2500; ++i) {
    form.sentinels.push_back(99'999 - i);
  }
  return form;
}
bool is_sentinel(int64_t id) { return id > 50'000; }

// Puts the spans of the target in place of the sentinels of the source; also proves that both count alike.
std::vector<int64_t> restored(const CorruptedText& pair) {
  std::map<int64_t, std::vector<int64_t>> spans;
  int64_t current = 0;
  for (auto id = pair.target.begin(); id != pair.target.end() - 1; ++id) {
    if (is_sentinel(*id)) {
      current = *id;
    } else {
      spans[current].push_back(*id);
    }
  }
  std::vector<int64_t> ids;
  for (auto id = pair.source.begin(); id != pair.source.end() - 1; ++id) {
    if (is_sentinel(*id)) {
      ids.insert(ids.end(), spans.at(*id).begin(), spans.at(*id).end());
    } else {
      ids.push_back(*id);
    }
  }
  return ids;
}

int64_t runs_of_ones(const std::vector<uint8_t>& mask) {
  int64_t runs = 0;
  for (size_t i = 0; i < mask.size(); ++i) {
    runs += mask[i] == 1 && (i == 0 || mask[i - 1] == 0) ? 1 : 0;
  }
  return runs;
}

double choose(int64_t n, int64_t k) {
  return std::round(std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1)));
}

}  // namespace

TEST_CASE("span counts: halves go to even in float64, and short texts keep one id of each kind") {
  const SpanNoise noise;
  CHECK(span_counts(30, noise).noise == 4);    // 4.5
  CHECK(span_counts(190, noise).noise == 28);  // 28.5; in float32 29
  CHECK(span_counts(568, noise).noise == 85);
  CHECK(span_counts(568, noise).spans == 28);
  for (const int64_t length : {2, 3, 4, 5}) {
    CHECK(span_counts(length, noise).noise == 1);
    CHECK(span_counts(length, noise).spans == 1);
  }
  CHECK(span_counts(1, noise).spans == 0);
  CHECK(span_counts(0, noise).noise == 0);
  // More spans than kept ids cannot alternate.
  CHECK(span_counts(10, {0.9, 1}).noise == 9);
  CHECK(span_counts(10, {0.9, 1}).spans == 1);
}

TEST_CASE("counts never fall when a text grows") {
  for (const SpanNoise& noise : noises) {
    SpanLengths before;
    for (int64_t raw = 2; raw <= 2000; ++raw) {
      const SpanLengths now = span_lengths(raw, noise, form_of(false));
      REQUIRE(now.source >= before.source);
      REQUIRE(now.target >= before.target);
      REQUIRE(now.sentinels >= before.sentinels);
      before = now;
    }
  }
}

TEST_CASE("every composition of a number is equally likely") {
  Stream stream = stream_of(0);
  std::map<std::vector<int64_t>, int64_t> seen;
  for (int i = 0; i < 100'000; ++i) {
    ++seen[random_partition(6, 3, stream)];
  }
  REQUIRE(seen.size() == 10);
  std::vector<int64_t> counts;
  for (const auto& [sizes, count] : seen) {
    CHECK(std::accumulate(sizes.begin(), sizes.end(), int64_t{0}) == 6);
    counts.push_back(count);
  }
  CHECK(chi_squared(counts, std::vector<double>(10, 0.1)) < chi_squared_limit(9));
}

TEST_CASE("lengths of spans follow their distribution over a million tokens") {
  constexpr int64_t total = 20;
  constexpr int64_t parts = 5;
  const bool last = GENERATE(false, true);
  Stream stream = stream_of(7);
  std::vector<int64_t> counts(total - parts + 1, 0);
  for (int i = 0; i < 50'000; ++i) {
    const std::vector<int64_t> sizes = random_partition(total, parts, stream);
    ++counts.at((last ? sizes.back() : sizes.front()) - 1);
  }
  std::vector<double> probabilities;
  for (int64_t size = 1; size <= std::ssize(counts); ++size) {
    probabilities.push_back(choose(total - size - 1, parts - 2) / choose(total - 1, parts - 1));
  }
  CHECK(chi_squared(counts, probabilities) < chi_squared_limit(std::ssize(counts) - 1));
}

TEST_CASE("a partition at its limits has one form") {
  Stream stream = stream_of(0);
  CHECK(random_partition(5, 1, stream) == std::vector<int64_t>{5});
  CHECK(random_partition(4, 4, stream) == std::vector<int64_t>{1, 1, 1, 1});
  CHECK_THROWS_AS(random_partition(3, 4, stream), std::logic_error);
  CHECK_THROWS_AS(random_partition(3, 0, stream), std::logic_error);
}

TEST_CASE("a mask begins with kept ids, ends in noise, and has exactly the counted ids and runs") {
  for (const SpanNoise& noise : noises) {
    for (int64_t length = 2; length <= 2000; length += length < 100 ? 1 : 13) {
      Stream stream = stream_of(length);
      const std::vector<uint8_t> mask = span_mask(length, noise, stream);
      const SpanCounts counts = span_counts(length, noise);
      REQUIRE(std::ssize(mask) == length);
      REQUIRE(mask.front() == 0);
      REQUIRE(mask.back() == 1);
      REQUIRE(std::accumulate(mask.begin(), mask.end(), int64_t{0}) == counts.noise);
      REQUIRE(runs_of_ones(mask) == counts.spans);
    }
  }
  Stream stream = stream_of(0);
  CHECK(span_mask(1, {}, stream) == std::vector<uint8_t>{0});
  CHECK(span_mask(0, {}, stream).empty());
}

TEST_CASE("sentinels: the worked example of the header") {
  const std::vector<int64_t> ids{37, 5295, 1782, 10681, 16, 8, 2447};
  SentinelForm form{.sentinels = {32099, 32098, 32097}, .eos = 1};

  const CorruptedText pair = replace_spans(ids, std::vector<uint8_t>{0, 1, 1, 0, 0, 1, 0}, form);
  CHECK(pair.source == std::vector<int64_t>{37, 32099, 10681, 16, 32098, 2447, 1});
  CHECK(pair.target == std::vector<int64_t>{32099, 5295, 1782, 32098, 8, 32097, 1});
  CHECK(pair.unlabeled.empty());

  const std::vector<uint8_t> ends_in_noise{0, 1, 1, 0, 0, 1, 1};
  CHECK(replace_spans(ids, ends_in_noise, form).target ==
        std::vector<int64_t>{32099, 5295, 1782, 32098, 8, 2447, 1});
  form.closing = true;
  form.label_sentinels = false;
  const CorruptedText closed = replace_spans(ids, ends_in_noise, form);
  CHECK(closed.target == std::vector<int64_t>{32099, 5295, 1782, 32098, 8, 2447, 32097, 1});
  CHECK(closed.unlabeled == std::vector<int64_t>{0, 3, 6});
}

TEST_CASE("a text without noise keeps everything, and too few sentinels are an error, not a word") {
  const SentinelForm form{.sentinels = {32099}, .eos = 1};
  const CorruptedText kept = replace_spans(std::vector<int64_t>{37}, std::vector<uint8_t>{0}, form);
  CHECK(kept.source == std::vector<int64_t>{37, 1});
  CHECK(kept.target == std::vector<int64_t>{32099, 1});
  CHECK_THROWS_AS(replace_spans(std::vector<int64_t>{5, 6, 7, 8}, std::vector<uint8_t>{0, 1, 0, 1}, form),
                  std::out_of_range);
  CHECK_THROWS_AS(replace_spans(std::vector<int64_t>{5}, std::vector<uint8_t>{}, form), std::logic_error);
}

TEST_CASE("source and target give back the text, with the lengths that were promised") {
  const bool closing = GENERATE(false, true);
  const SentinelForm form = form_of(closing);
  for (const SpanNoise& noise : noises) {
    for (int64_t length = 2; length <= 2000; length += length < 60 ? 1 : 97) {
      Stream stream = stream_of(length, 3);
      const std::vector<int64_t> ids = ids_between(2, 40'000, length, length);
      const CorruptedText pair = replace_spans(ids, span_mask(length, noise, stream), form);
      const SpanLengths lengths = span_lengths(length, noise, form);
      REQUIRE(std::ssize(pair.source) == lengths.source);
      REQUIRE(std::ssize(pair.target) == lengths.target);
      REQUIRE(restored(pair) == ids);
      std::vector<int64_t> sentinels;
      std::copy_if(pair.target.begin(), pair.target.end(), std::back_inserter(sentinels), is_sentinel);
      REQUIRE(std::ssize(sentinels) == lengths.sentinels);
      REQUIRE(sentinels ==
              std::vector<int64_t>(form.sentinels.begin(), form.sentinels.begin() + lengths.sentinels));
    }
  }
}

TEST_CASE("solved lengths are those of T5 and UL2") {
  struct Row {
    SpanNoise noise;
    int64_t limit, raw, target, spans;
  };
  const Row row = GENERATE(Row{{0.15, 3}, 128, 141, 29, 7},
                           Row{{0.15, 3}, 256, 284, 58, 14},
                           Row{{0.15, 3}, 512, 568, 114, 28},
                           Row{{0.15, 3}, 1024, 1137, 229, 57},
                           Row{{0.15, 8}, 512, 588, 100, 11},
                           Row{{0.15, 64}, 512, 600, 92, 1},
                           Row{{0.5, 3}, 512, 766, 512, 128},
                           Row{{0.5, 8}, 512, 908, 512, 57},
                           Row{{0.5, 64}, 512, 1006, 512, 8});
  const SpanLengths lengths = solve_span_lengths(row.limit, false, row.noise, form_of(false));
  CHECK(lengths.raw == row.raw);
  CHECK(lengths.source <= row.limit);
  CHECK(lengths.target == row.target);
  CHECK(lengths.sentinels == row.spans);
}

TEST_CASE("the solver finds the longest text that fits at every length, source alone or joined") {
  const bool joined = GENERATE(false, true);
  const bool closing = GENERATE(false, true);
  const SentinelForm form = form_of(closing);
  for (const SpanNoise& noise : noises) {
    int64_t raw = 1;
    const auto size = [&](int64_t length) {
      const SpanLengths lengths = span_lengths(length, noise, form);
      return joined ? lengths.source + lengths.target : lengths.source;
    };
    for (int64_t limit = 1; limit <= 600; ++limit) {
      while (size(raw + 1) <= limit) {
        ++raw;
      }
      const SpanLengths solved = solve_span_lengths(limit, joined, noise, form);
      if (raw < 2) {
        REQUIRE(solved.raw == 0);
        continue;
      }
      const bool shorter = !joined && noise.density == 0.5 &&
                           span_lengths(raw, noise, form).target > span_lengths(raw, noise, form).source;
      REQUIRE(solved.raw == (shorter ? raw - 1 : raw));
      REQUIRE(size(solved.raw) <= limit);
    }
  }
}
