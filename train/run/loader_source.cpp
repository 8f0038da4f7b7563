#include "train/run/loader_source.h"

#include "base/another_sample.h"
#include "base/check.h"
#include "data/batches/collate.h"
#include "train/run/assemble.h"

namespace lmzoo {
namespace {

class LoaderSource final : public BatchSource {
 public:
  LoaderSource(const MixedWindows& windows, const LoaderSteps& steps, const LoaderOptions& options)
      : loader_(windows, steps, options) {}

  Batch next() override { return loader_.next().value(); }
  Json state() const override {
    Json state = written(loader_.state());
    if (loader_.origin() != LoaderState{}) {
      state["origin"] = written(loader_.origin());
    }
    state["windows"] = loader_.windows().size();
    return state;
  }
  void restore(const Json& state) override {
    if (state.is_object() && state.contains("origin")) {
      loader_.begin_at(read(state["origin"]));
    }
    loader_.restore(read(state));
  }
  void begin_phase(int64_t phase, const Json& before, bool same_text) override {
    constexpr uint64_t kEpochsOfPhase = 1 << 20;  // more than a run may have
    const bool goes_on =
        same_text && before.is_object() && before.value("windows", int64_t{0}) == loader_.windows().size();
    loader_.begin_at(goes_on ? read(before)
                             : LoaderState{.epoch = static_cast<uint64_t>(phase) * kEpochsOfPhase});
  }

 private:
  static Json written(const LoaderState& state) {
    return {{"epoch", state.epoch}, {"position", state.position}};
  }
  static LoaderState read(const Json& state) {
    const auto number = [&](const char* key) {
      check(state.is_object() && state.contains(key) && state[key].is_number_unsigned(),
            "state.json: batches.{} must be a whole number of at least 0",
            key);
      return state[key].get<uint64_t>();
    };
    return {.epoch = number("epoch"), .position = number("position")};
  }

  Loader loader_;
};

}  // namespace

// As assemble.h declares it.
LoaderSteps loader_steps(const Parts& parts, const MixedWindows& windows) {
  const auto alone = [objective = parts.objective](
                         const Sample& sample, const TrainingPlace& place, Stream& stream) {
    return objective->examples(sample, place, stream);
  };
  const auto beside_another = [alone, windows](
                                  const Sample& sample, const TrainingPlace& place, Stream& stream) {
    const Windows& own = windows.texts()[static_cast<size_t>(sample.corpus - windows.corpus())].windows;
    const SampleSource source{.count = own.size(),
                              .at = [own](int64_t index) { return own.window(index).front(); }};
    return alone(with_another(sample, source), place, stream);
  };
  const bool needs_another = parts.objective->form().needs_another;
  return {.transform = needs_another ? LoaderSteps::Transform(beside_another) : alone,
          .collate = [architecture = parts.model->architecture(),
                      vocabulary = parts.vocabulary,
                      slots = parts.objective->slots()](std::span<const Example> examples) {
            return collate(examples, {architecture, vocabulary, slots});
          }};
}

std::unique_ptr<BatchSource> make_loader_source(const MixedWindows& windows,
                                                const LoaderSteps& steps,
                                                const LoaderOptions& options) {
  return std::make_unique<LoaderSource>(windows, steps, options);
}

}  // namespace lmzoo
