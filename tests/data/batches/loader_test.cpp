#include "data/batches/loader.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <numeric>
#include <set>

#include "base/vocabulary.h"
#include "data/batches/collate.h"
#include "data/stores.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Ids = std::vector<int64_t>;

namespace {

// Appends a random id, so that a batch shows the stream it was made with.
std::vector<Example> with_noise(const Sample& sample, const TrainingPlace&, Stream& stream) {
  Ids ids = sample.ids;
  ids.push_back(static_cast<int64_t>(stream.below(1'000'000)));
  return {next_tokens(std::move(ids))};
}

LoaderSteps noisy_steps() {
  return {with_noise, [](std::span<const Example> examples) {
            return collate(examples, {Architecture::decoder_only, Vocabulary{}, {{.name = "labels"}}});
          }};
}

struct Fixture {
  TempDir folder;
  Windows windows{make_ragged_store(folder / "tokens.bin", 50), {.kind = WindowKind::packed, .length = 12}};

  LoaderOptions options{.batch_size = 4, .seed = 5, .workers = 0};
};

// All that a batch holds.
struct Content {
  Ids ids, lengths, rows, labels;
  std::vector<uint64_t> samples;
  bool operator==(const Content&) const = default;
};

Ids list_of(const Tensor& tensor) {
  return {tensor.data_ptr<int64_t>(), tensor.data_ptr<int64_t>() + tensor.numel()};
}

Content content(const Batch& batch) {
  const std::span<const int64_t> starts = batch.inputs.sequences.starts();
  return {list_of(batch.inputs.ids),
          {starts.begin(), starts.end()},
          list_of(batch.slots[0].rows),
          list_of(batch.slots[0].labels),
          batch.samples};
}

std::vector<Content> take(Loader& loader, int64_t count) {
  std::vector<Content> batches;
  for (int64_t i = 0; i < count; ++i) {
    std::optional<Batch> batch = loader.next();
    if (!batch) {
      break;
    }
    batches.push_back(content(*batch));
  }
  return batches;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "every epoch visits each window once, in an order of its own") {
  Loader loader(windows, noisy_steps(), options);
  const auto size = static_cast<uint64_t>(windows.size());
  REQUIRE(size % 4 != 0);  // so that batches cross the ends of epochs
  std::vector<uint64_t> order;
  while (order.size() < 3 * size) {
    const std::vector<uint64_t> samples = loader.next()->samples;
    CHECK(samples.size() == 4);
    order.insert(order.end(), samples.begin(), samples.end());
  }
  std::set<std::vector<uint64_t>> orders;
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    const std::vector<uint64_t> visited(order.begin() + epoch * size, order.begin() + (epoch + 1) * size);
    CHECK(std::set(visited.begin(), visited.end()).size() == size);
    CHECK(*std::max_element(visited.begin(), visited.end()) == size - 1);
    orders.insert(visited);
  }
  CHECK(orders.size() == 3);
}

TEST_CASE_METHOD(Fixture, "batches do not depend on the number of workers or on what is ready ahead") {
  Loader alone(windows, noisy_steps(), options);
  const std::vector<Content> expected = take(alone, 40);
  options.workers = GENERATE(1, 2, 3, 8);
  options.prefetch = GENERATE(1, 4, 16);
  Loader loader(windows, noisy_steps(), options);
  CHECK((take(loader, 40) == expected));
  CHECK(loader.state() == alone.state());
}

TEST_CASE_METHOD(Fixture, "a loader restored at any step goes on with the same batches") {
  constexpr int64_t kSteps = 30;
  options.workers = GENERATE(0, 2);
  Loader straight(windows, noisy_steps(), options);
  std::vector<LoaderState> states;
  std::vector<Content> batches;
  for (int64_t i = 0; i < kSteps; ++i) {
    states.push_back(straight.state());
    batches.push_back(content(*straight.next()));
  }
  for (int64_t i = 0; i + 1 < kSteps; ++i) {
    Loader resumed(windows, noisy_steps(), options);
    take(resumed, 3);  // what it did before does not matter
    resumed.restore(states[i]);
    CHECK(resumed.state() == states[i]);
    CHECK((content(*resumed.next()) == batches[i]));
    CHECK(resumed.state() == states[i + 1]);
    CHECK((content(*resumed.next()) == batches[i + 1]));
  }
}

TEST_CASE_METHOD(Fixture, "order and corruption follow the seed and the epoch") {
  options.batch_size = 1;
  // Window to the noise that its last sample got, through one epoch.
  const auto epoch_of = [&](Loader& loader) {
    std::map<uint64_t, int64_t> noise;
    for (const Content& batch : take(loader, windows.size())) {
      noise[batch.samples[0]] = batch.labels.back();
    }
    return noise;
  };
  Loader loader(windows, noisy_steps(), options);
  Loader same(windows, noisy_steps(), options);
  options.seed = 6;
  Loader other(windows, noisy_steps(), options);
  const auto first_epoch = epoch_of(loader);
  CHECK(epoch_of(same) == first_epoch);
  const auto other_seed = epoch_of(other);
  const auto second_epoch = epoch_of(loader);
  for (const auto& [window, noise] : first_epoch) {
    CHECK(other_seed.at(window) != noise);
    CHECK(second_epoch.at(window) != noise);
  }
}

TEST_CASE_METHOD(Fixture, "evaluation is one pass in order, the same every time") {
  options.mode = LoaderMode::evaluate;
  options.workers = GENERATE(0, 2);
  Loader loader(windows, noisy_steps(), options);
  const std::vector<Content> pass = take(loader, 1000);
  CHECK(static_cast<int64_t>(pass.size()) == loader.batches());
  std::vector<uint64_t> visited;
  for (const Content& batch : pass) {
    visited.insert(visited.end(), batch.samples.begin(), batch.samples.end());
  }
  std::vector<uint64_t> expected(windows.size());
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(visited == expected);
  CHECK(pass.back().samples.size() == static_cast<size_t>(windows.size()) % 4);
  CHECK(!loader.next());
  CHECK(!loader.next());

  loader.restore({});
  CHECK((take(loader, 1000) == pass));
}

TEST_CASE_METHOD(Fixture, "a sample is told whether it is learned from or measured on") {
  options.step_windows = 8;
  options.steps = 30;
  options.mode = GENERATE(LoaderMode::train, LoaderMode::evaluate);
  std::vector<TrainingPlace> places;
  LoaderSteps steps = noisy_steps();
  steps.transform = [&](const Sample& sample, const TrainingPlace& place, Stream& stream) {
    places.push_back(place);
    return with_noise(sample, place, stream);
  };
  Loader loader(windows, steps, options);
  loader.next();
  const bool evaluates = options.mode == LoaderMode::evaluate;
  CHECK(places.front().evaluates == evaluates);
  CHECK(places.front().step == (evaluates ? 0 : 1));
}

TEST_CASE_METHOD(Fixture, "what a step throws comes out of next(), again at every try") {
  options.workers = GENERATE(0, 1, 3);
  LoaderSteps steps = noisy_steps();
  std::atomic<bool> broken = true;
  steps.transform =
      [&](const Sample& sample, const TrainingPlace& place, Stream& stream) -> std::vector<Example> {
    if (broken && sample.ids[0] < 30) {
      throw InputError("bad sample");
    }
    return with_noise(sample, place, stream);
  };
  Loader healthy(windows, noisy_steps(), options);
  const std::vector<Content> expected = take(healthy, 20);
  Loader loader(windows, steps, options);
  size_t good = 0;
  bool same = true;
  const auto read_on = [&] {
    for (; good < expected.size(); ++good) {
      same = same && content(*loader.next()) == expected[good];
    }
  };
  CHECK_THROWS_WITH(read_on(), "bad sample");
  CHECK(same);
  CHECK_THROWS_AS(loader.next(), InputError);
  broken = false;
  CHECK((content(*loader.next()) == expected[good]));
}

TEST_CASE_METHOD(
    Fixture, "workers go on until as many batches are in work or ready as prefetch allows, and no further") {
  options.workers = 3;
  options.prefetch = 2;
  options.batch_size = 1;
  std::mutex mutex;
  std::condition_variable changed;
  int64_t asked = 0, made = 0, furthest = 0;  // batches; furthest: made before they were asked for
  LoaderSteps steps = noisy_steps();
  steps.collate = [&, collate = steps.collate](std::span<const Example> examples) {
    {
      const std::lock_guard lock(mutex);
      furthest = std::max(furthest, ++made - asked);
    }
    changed.notify_one();
    return collate(examples);
  };
  {
    Loader loader(windows, steps, options);
    for (int64_t i = 0; i < 200; ++i) {
      {
        const std::lock_guard lock(mutex);
        ++asked;
      }
      loader.next();
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return made >= asked + options.prefetch; });
    }
  }  // all workers are done
  CHECK(furthest == options.prefetch);
}

TEST_CASE_METHOD(Fixture,
                 "data smaller than a batch is read several times; data without windows is refused") {
  options.batch_size = 2 * windows.size() + 1;
  Loader loader(windows, noisy_steps(), options);
  CHECK(static_cast<int64_t>(loader.next()->samples.size()) == options.batch_size);
  CHECK(loader.state() == LoaderState{.epoch = 2, .position = 1});

  const Windows none(make_store(folder / "none.bin", {{}}), {.length = 4});
  CHECK_THROWS_AS(Loader(none, noisy_steps(), options), InputError);
}

TEST_CASE_METHOD(Fixture, "a state beyond the data is refused") {
  Loader loader(windows, noisy_steps(), options);
  CHECK_THROWS_WITH(loader.restore({.epoch = 1, .position = 5000}),
                    Catch::Contains("5000") && Catch::Contains(std::to_string(windows.size())));
}
