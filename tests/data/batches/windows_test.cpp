#include "data/batches/windows.h"

#include <numeric>

#include "data/stores.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Ids = std::vector<int64_t>;
using Shown = std::vector<std::vector<Ids>>;  // windows of samples

namespace {

Shown show(const std::shared_ptr<const TokenStore>& store, const WindowOptions& options) {
  const Windows windows(store, options);
  Shown shown(windows.size());
  int64_t samples = 0;
  int64_t tokens = 0;
  for (int64_t i = 0; i < windows.size(); ++i) {
    for (const Sample& sample : windows.window(i)) {
      CHECK(!sample.ids.empty());
      shown[i].push_back(sample.ids);
      ++samples;
      tokens += static_cast<int64_t>(sample.ids.size());
    }
  }
  CHECK(windows.samples() == samples);
  CHECK(windows.tokens() == tokens);
  return shown;
}

Ids joined(const Shown& shown) {
  Ids all;
  for (const auto& window : shown) {
    for (const Ids& sample : window) {
      all.insert(all.end(), sample.begin(), sample.end());
    }
  }
  return all;
}

Ids all_ids(const TokenStore& store) {
  Ids ids;
  store.append(0, store.tokens(), ids);
  return ids;
}

}  // namespace

TEST_CASE("windows of the worked example") {
  const TempDir folder;
  const auto store = make_store(folder / "tokens.bin", {{10, 11, 12}, {20, 21}, {30, 31, 32, 33, 34}});
  CHECK(show(store, {.length = 4}) == Shown{{{10, 11, 12}}, {{20, 21}}, {{30, 31, 32, 33}}, {{34}}});
  CHECK(show(store, {.length = 4, .long_documents = LongDocuments::truncate}) ==
        Shown{{{10, 11, 12}}, {{20, 21}}, {{30, 31, 32, 33}}});
  CHECK(show(store, {.kind = WindowKind::packed, .length = 4}) ==
        Shown{{{10, 11, 12}}, {{20, 21}}, {{30, 31, 32, 33}}, {{34}}});
  CHECK(show(store, {.kind = WindowKind::packed, .length = 5}) ==
        Shown{{{10, 11, 12}, {20, 21}}, {{30, 31, 32, 33, 34}}});
  CHECK(show(store, {.kind = WindowKind::stream, .length = 4, .separator = 1}) ==
        Shown{{{10, 11, 12, 1}}, {{20, 21, 1, 30}}, {{31, 32, 33, 34}}, {{1}}});
  CHECK(show(store, {.kind = WindowKind::stream, .length = 4, .separator = 1, .keep_last = false}) ==
        Shown{{{10, 11, 12, 1}}, {{20, 21, 1, 30}}, {{31, 32, 33, 34}}});
  CHECK(show(store, {.kind = WindowKind::stream, .length = 4}) ==
        Shown{{{10, 11, 12, 20}}, {{21, 30, 31, 32}}, {{33, 34}}});
}

TEST_CASE("a packed window leaves room for the special ids of each of its samples") {
  const TempDir folder;
  const auto store = make_store(folder / "tokens.bin", {{10, 11}, {20}, {30}, {40}});
  // Room for 5 ids and one sample's 2 special ones; each sample costs its ids and 2.
  CHECK(show(store, {.kind = WindowKind::packed, .length = 5, .overhead = 2}) ==
        Shown{{{10, 11}, {20}}, {{30}, {40}}});
  // A document of the full length still fits.
  CHECK(show(store, {.kind = WindowKind::packed, .length = 2, .overhead = 3}) ==
        Shown{{{10, 11}}, {{20}}, {{30}}, {{40}}});
}

TEST_CASE("every id is in exactly one window, in order, and empty documents in none") {
  const TempDir folder;
  const auto store = make_ragged_store(folder / "tokens.bin", 1000);
  const int64_t length = GENERATE(1, 4, 9, 50);
  CHECK((joined(show(store, {.length = length})) == all_ids(*store)));
  CHECK((joined(show(store, {.kind = WindowKind::packed, .length = length, .overhead = 2})) ==
         all_ids(*store)));
  CHECK((joined(show(store, {.kind = WindowKind::stream, .length = length})) == all_ids(*store)));

  const Ids separated =
      joined(show(store, {.kind = WindowKind::stream, .length = length, .separator = 59'999}));
  CHECK(static_cast<int64_t>(separated.size()) == store->tokens() + store->documents());
  CHECK(std::count(separated.begin(), separated.end(), 59'999) == store->documents());
}

TEST_CASE("packed windows are within their length and greedy") {
  const TempDir folder;
  const auto store = make_ragged_store(folder / "tokens.bin", 1000);
  constexpr int64_t kLength = 30;
  constexpr int64_t kOverhead = 2;
  const Shown windows = show(store, {.kind = WindowKind::packed, .length = kLength, .overhead = kOverhead});
  const auto cost = [](const Ids& sample) { return static_cast<int64_t>(sample.size()) + kOverhead; };
  for (size_t i = 0; i < windows.size(); ++i) {
    int64_t total = 0;
    for (const Ids& sample : windows[i]) {
      total += cost(sample);
    }
    CHECK(total <= kLength + kOverhead);
    if (i + 1 < windows.size()) {
      CHECK(total + cost(windows[i + 1][0]) > kLength + kOverhead);
    }
  }
}

TEST_CASE("samples carry the label of their document; those of a stream have none") {
  const TempDir folder;
  const std::string path = folder / "tokens.bin";
  write_atomically(path, [](FileSink& sink) {
    TokenStoreWriter writer(sink, 100);
    writer.add({{1, 2, 3}, 3, 1});
    writer.add({{4}, 1, 0});
    writer.finish({"a", "b"});
  });
  const auto store = std::make_shared<const TokenStore>(path);
  const Windows packed(store, {.kind = WindowKind::packed, .length = 2});
  REQUIRE(packed.size() == 2);
  CHECK(packed.window(0)[0].label == 1);
  CHECK(packed.window(1)[0].label == 1);
  CHECK(packed.window(1)[1].label == 0);
  CHECK(Windows(store, {.kind = WindowKind::stream, .length = 2}).window(0)[0].label == -1);
}

TEST_CASE("an empty store has no windows, and a length of zero is refused") {
  const TempDir folder;
  const auto store = make_store(folder / "tokens.bin", {{}, {}});
  CHECK(Windows(store, {.length = 4}).size() == 0);
  CHECK(Windows(store, {.kind = WindowKind::stream, .length = 4}).size() == 0);
  CHECK_THROWS_AS(Windows(store, {.length = 0}), InputError);
}
