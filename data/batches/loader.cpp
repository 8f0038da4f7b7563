#include "data/batches/loader.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/check.h"

namespace lmzoo {

Loader::Loader(MixedWindows windows, LoaderSteps steps, const LoaderOptions& options)
    : windows_(std::move(windows)), steps_(std::move(steps)), options_(options) {
  check(windows_.size() > 0,
        "the data has no window: {} holds no usable document",
        windows_.texts().front().windows.store().path());
  check(options_.batch_size >= 1, "batch_size is {} but must be at least 1", options_.batch_size);
}

std::optional<Batch> Loader::next() {
  std::optional<Batch> batch;
  if (options_.workers == 0) {
    batch = make(state_);
  } else {
    batch = take_prefetched();
  }
  if (batch) {
    state_ = advanced(state_, batch->samples.size());
  }
  return batch;
}

std::optional<Batch> Loader::take_prefetched() {
  if (!prefetch_) {
    prefetch_ = std::make_unique<Prefetch<std::optional<Batch>>>(
        [this, begin = state_](uint64_t index) { return make(advanced(begin, index * options_.batch_size)); },
        options_.workers,
        std::max<int64_t>(options_.prefetch, 1));
  }
  try {
    return prefetch_->next();
  } catch (...) {
    prefetch_.reset();  // the next call makes the same batch again
    throw;
  }
}

void Loader::restore(const LoaderState& state) {
  const auto size = static_cast<uint64_t>(windows_.size());
  const bool ends = options_.mode == LoaderMode::evaluate && state.position == size;
  check(state.position < size || ends,
        "the loader's state stands at window {} of an epoch, but the data has only {}: it is not the data "
        "that the run began with",
        state.position,
        size);
  prefetch_.reset();
  state_ = state;
}

void Loader::begin_at(const LoaderState& origin) {
  restore(origin);
  origin_ = origin;
}

int64_t Loader::batches() const { return (windows_.size() + options_.batch_size - 1) / options_.batch_size; }

LoaderState Loader::advanced(LoaderState state, uint64_t windows) const {
  const auto size = static_cast<uint64_t>(windows_.size());
  const uint64_t position = state.position + windows;
  if (options_.mode == LoaderMode::evaluate) {
    return {state.epoch, std::min(position, size)};
  }
  return {state.epoch + position / size, position % size};
}

std::optional<Batch> Loader::make(const LoaderState& begin) const {
  auto count = static_cast<uint64_t>(options_.batch_size);
  if (options_.mode == LoaderMode::evaluate) {
    count = std::min(count, static_cast<uint64_t>(windows_.size()) - begin.position);
  }
  if (count == 0) {
    return std::nullopt;
  }
  std::vector<Example> examples;
  std::vector<uint64_t> used;
  std::vector<int64_t> corpora(windows_.texts().size() > 1 ? windows_.texts().size() : 0);
  for (uint64_t i = 0; i < count; ++i) {
    const LoaderState at = advanced(begin, i);
    const StreamKey key = corruption_key(at);
    const TrainingPlace place = place_of(at);
    Stream stream(key);
    const auto window = static_cast<int64_t>(key.sample);
    for (const Sample& sample : windows_.window(at.epoch, window)) {
      std::vector<Example> more = steps_.transform(sample, place, stream);
      std::move(more.begin(), more.end(), std::back_inserter(examples));
    }
    used.push_back(key.sample);
    if (!corpora.empty()) {
      ++corpora[static_cast<size_t>(windows_.text_at(window))];
    }
  }
  Batch batch = steps_.collate(examples);
  batch.samples = std::move(used);
  batch.corpora = std::move(corpora);
  return batch;
}

TrainingPlace Loader::place_of(const LoaderState& at) const {
  if (options_.mode == LoaderMode::evaluate) {
    return {.evaluates = true};
  }
  if (options_.step_windows == 0) {
    return {};
  }
  const auto counted = [&](const LoaderState& state) {
    return state.epoch * static_cast<uint64_t>(windows_.size()) + state.position;
  };
  const uint64_t index = counted(at) - counted(origin_);
  return {.step = static_cast<int64_t>(index / static_cast<uint64_t>(options_.step_windows)) + 1,
          .steps = options_.steps};
}

StreamKey Loader::corruption_key(const LoaderState& at) const {
  if (options_.mode == LoaderMode::evaluate) {
    return {options_.seed, kEvaluationEpoch, at.position, Purpose::corruption};
  }
  const StreamKey order{options_.seed, at.epoch, 0, Purpose::order};
  const Permutation permutation(static_cast<uint64_t>(windows_.size()), order);
  return {options_.seed, at.epoch, permutation(at.position), Purpose::corruption};
}

}  // namespace lmzoo
