// Windows to micro-batches, in an order and with a corruption that are functions of (seed, epoch, window)
// only (DESIGN 7): the same bits with any number of workers, and after restore() as if nothing had been
// interrupted.
//
// Training: every epoch visits each window once in an order of its own (an exact permutation, nothing is
// buffered). Batches are always full: one may hold the end of an epoch and the beginning of the next.
// Evaluation: one pass in the order of the data with one fixed epoch key, so that every evaluation corrupts
// the same way; the last batch may be short.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/rng.h"
#include "core/batch.h"
#include "core/objective.h"
#include "data/batches/mixture.h"
#include "data/batches/prefetch.h"

namespace lmzoo {

enum class LoaderMode { train, evaluate };

struct LoaderOptions {
  LoaderMode mode = LoaderMode::train;
  int64_t batch_size = 1;  // windows of a micro-batch
  int64_t step_windows =
      0;              // of all micro-batches of a step, to tell where in training a window stands; 0: unknown
  int64_t steps = 0;  // of the run; 0: unknown
  uint64_t seed = 0;
  int64_t workers = 1;   // threads that prepare batches ahead; 0: the caller's, in next()
  int64_t prefetch = 4;  // batches that may be ready or in work at once; bounds memory
};

// What the loader does to each sample and batch; both must be thread-safe and pure.
struct LoaderSteps {
  // E.g. Objective::examples. The samples of a window draw from one stream, one after the other.
  using Transform = std::function<std::vector<Example>(const Sample&, const TrainingPlace&, Stream&)>;
  Transform transform;
  std::function<Batch(std::span<const Example>)> collate;
};

// Where a loader stands: a value that a checkpoint holds.
struct LoaderState {
  uint64_t epoch = 0;
  uint64_t position = 0;  // windows of this epoch that next() has given

  bool operator==(const LoaderState&) const = default;
};

// The epoch key of evaluation; training never gets there.
constexpr uint64_t kEvaluationEpoch = UINT64_MAX;

// Not thread-safe: one thread calls.
class Loader {
 public:
  // Throws InputError when there is no window.
  Loader(MixedWindows windows, LoaderSteps steps, const LoaderOptions& options);
  Loader(const Loader&) = delete;  // its threads hold its address
  Loader& operator=(const Loader&) = delete;

  // The next micro-batch, Batch::samples (and corpora) filled with its windows; absent at the end of an evaluation's pass.
  // An exception of a step comes out here, and the state stays before the batch.
  std::optional<Batch> next();

  LoaderState state() const { return state_; }
  // Goes on from a state of a loader with the same windows, seed and mode. restore({}) begins again.
  void restore(const LoaderState& state);
  // Goes on from `origin` as if the run began there: where in training a window stands is counted from it.
  void begin_at(const LoaderState& origin);
  const LoaderState& origin() const { return origin_; }

  const MixedWindows& windows() const { return windows_; }
  int64_t batches() const;  // of an evaluation's pass; of training: micro-batches that an epoch touches

 private:
  std::optional<Batch> make(const LoaderState& begin) const;
  std::optional<Batch> take_prefetched();
  LoaderState advanced(LoaderState state, uint64_t windows) const;
  TrainingPlace place_of(const LoaderState& at) const;
  StreamKey corruption_key(const LoaderState& at) const;  // its `sample` is the window that stands there

  MixedWindows windows_;
  LoaderSteps steps_;
  LoaderOptions options_;
  LoaderState state_, origin_;
  std::unique_ptr<Prefetch<std::optional<Batch>>> prefetch_;  // last: its threads use the rest
};

}  // namespace lmzoo
