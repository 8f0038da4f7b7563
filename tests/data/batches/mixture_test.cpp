#include "data/batches/mixture.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/batches/collate.h"
#include "data/batches/loader.h"
#include "data/stores.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// Documents of one id each: `first`, first + 1, ...
Windows documents(const TempDir& folder, int64_t count, int64_t first) {
  const std::string path = folder / ("from" + std::to_string(first) + ".bin");
  write_atomically(path, [&](FileSink& sink) {
    TokenStoreWriter writer(sink, 10'000);
    for (int64_t i = 0; i < count; ++i) {
      writer.add({{first + i}, 1, -1});
    }
    writer.finish({});
  });
  return {std::make_shared<const TokenStore>(path), {.length = 4}};
}

MixedWindows mixed(const TempDir& folder, double small, double large, uint64_t seed = 3) {
  return {{{.name = "small", .windows = documents(folder, 10, 0), .share = small},
           {.name = "large", .windows = documents(folder, 90, 1000), .share = large}},
          seed};
}

}  // namespace

TEST_CASE("an epoch has each text as often as its share says, to the window") {
  const TempDir folder;
  for (const auto& [small, large, places] : {std::tuple{1.0, 9.0, 10},
                                             std::tuple{1.0, 1.0, 50},
                                             std::tuple{2.0, 1.0, 67},
                                             std::tuple{1.0, 8.0, 11}}) {
    const MixedWindows windows = mixed(folder, small, large);
    CHECK(windows.size() == 100);
    CHECK(windows.places(0) == places);
    int64_t seen = 0;
    for (int64_t place = 0; place < windows.size(); ++place) {
      const Sample sample = windows.window(0, place).front();
      CHECK(sample.corpus == (sample.ids.front() >= 1000 ? 1 : 0));
      CHECK(sample.corpus == windows.text_at(place));
      seen += sample.corpus == 0 ? 1 : 0;
    }
    CHECK(seen == places);
  }
}

TEST_CASE("a text goes on where the epoch before stopped, and is seen evenly") {
  const TempDir folder;
  const MixedWindows windows = mixed(folder, 1, 1);  // 50 places each: the small text 5 times an epoch
  std::map<int64_t, int64_t> seen;
  for (uint64_t epoch = 0; epoch < 9; ++epoch) {
    for (int64_t place = 0; place < windows.size(); ++place) {
      ++seen[windows.window(epoch, place).front().ids.front()];
    }
  }
  REQUIRE(seen.size() == 100);
  for (const auto& [id, count] : seen) {
    CHECK(count == (id < 1000 ? 45 : 5));
  }
}

TEST_CASE("passes over a text of a mixture differ in order, and follow from the seed") {
  const TempDir folder;
  const auto first_pass = [&](const MixedWindows& windows, int64_t pass) {
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < 10; ++i) {
      ids.push_back(windows.window(0, 10 * pass + i).front().ids.front());
    }
    return ids;
  };
  const MixedWindows windows = mixed(folder, 1, 1);
  CHECK(first_pass(windows, 0) != first_pass(windows, 1));
  CHECK(first_pass(windows, 0) == first_pass(mixed(folder, 1, 1), 0));
  CHECK(first_pass(windows, 0) != first_pass(mixed(folder, 1, 1, 4), 0));
  CHECK(std::ranges::is_permutation(first_pass(windows, 0), first_pass(windows, 1)));
}

TEST_CASE("a text without a place, or without a window, is refused by name") {
  const TempDir folder;
  CHECK_THROWS_WITH(mixed(folder, 1, 1000),
                    Catch::Matchers::Contains("small would have none of the 100 windows"));
  CHECK_THROWS_WITH(MixedWindows({{.name = "none", .windows = documents(folder, 0, 5)}}, 1),
                    Catch::Matchers::Contains("none has no window"));
}

TEST_CASE("one text alone is the mixture that it always was") {
  const TempDir folder;
  const Windows alone = documents(folder, 7, 0);
  const MixedWindows windows = alone;
  for (int64_t place = 0; place < 7; ++place) {
    CHECK(windows.window(3, place).front().ids == alone.window(place).front().ids);
    CHECK(windows.window(0, place).front().corpus == 0);
  }
  CHECK(MixedWindows(alone, 2).window(0, 0).front().corpus == 2);
}

TEST_CASE("a loader of a mixture counts its texts, and goes on from anywhere with the same batches") {
  const TempDir folder;
  const LoaderSteps steps{[](const Sample& sample, const TrainingPlace&, Stream&) {
                            return std::vector<Example>{next_tokens({sample.ids.front(), 1})};
                          },
                          [](std::span<const Example> examples) {
                            return collate(examples, {Architecture::decoder_only, {}, {{.name = "labels"}}});
                          }};
  const MixedWindows windows = mixed(folder, 1, 3);
  for (const int64_t workers : {0, 3}) {
    const LoaderOptions options{.batch_size = 8, .seed = 2, .workers = workers};
    Loader straight(windows, steps, options);
    std::vector<int64_t> counts(2);
    std::vector<Tensor> ids;
    LoaderState middle;
    for (int64_t i = 0; i < 25; ++i) {
      const Batch batch = straight.next().value();
      REQUIRE(batch.corpora.size() == 2);
      counts[0] += batch.corpora[0];
      counts[1] += batch.corpora[1];
      ids.push_back(batch.inputs.ids);
      middle = i == 11 ? straight.state() : middle;
    }
    CHECK(counts == std::vector<int64_t>{50, 150});  // two epochs
    Loader resumed(windows, steps, options);
    resumed.restore(middle);
    for (size_t i = 12; i < 25; ++i) {
      CHECK(resumed.next()->inputs.ids.equal(ids[i]));
    }
  }
}
