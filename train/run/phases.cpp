#include "train/run/phases.h"

#include <algorithm>

#include "base/check.h"
#include "nn/parameter.h"
#include "tokenizer/vocabulary_of.h"
#include "train/saved/checkpoint.h"

namespace lmzoo {
namespace {

// Steps that see so many tokens of the texts that are trained on as the phase says.
int64_t steps_for_tokens(const LoadedConfig& loaded,
                         const Registry& registry,
                         const std::shared_ptr<const Tokenizer>& tokenizer) {
  const MetaScope no_weights;
  const auto train = open_store(
      loaded, "data.train", loaded.config.data.train, tokenizer, std::nullopt, ProgressBar::Style::automatic);
  const Parts parts = build_parts(loaded, registry, vocabulary_of(*tokenizer), train->classes());
  return steps_of(loaded, training_windows(loaded, parts, tokenizer, train));
}

}  // namespace

std::vector<PhaseSpan> phase_spans(const LoadedConfig& loaded,
                                   const Registry& registry,
                                   const std::shared_ptr<const Tokenizer>& tokenizer) {
  if (loaded.phases.empty()) {
    return {PhaseSpan{}};
  }
  std::vector<PhaseSpan> spans;
  int64_t before = 0;
  for (const LoadedPhase& phase : loaded.phases) {
    const PhaseOptions& options = phase.options;
    const int64_t steps = options.tokens ? steps_for_tokens(*phase.loaded, registry, tokenizer)
                                         : phase.loaded->config.train.steps;
    spans.push_back({.place = {.number = std::ssize(spans),
                               .name = options.name,
                               .first_step = before,
                               .own_schedule = phase.own_schedule},
                     .steps = steps});
    before += steps;
  }
  for (PhaseSpan& span : spans) {
    span.place.all_steps = before;
  }
  return spans;
}

size_t current_phase(const std::string& run, const std::vector<PhaseSpan>& spans) {
  const auto state = state_of_newest(run);
  if (!state) {
    return 0;
  }
  const auto phase = static_cast<size_t>(state->phase);
  check(phase < spans.size(), "{} stands in phase {}, but there are {}", run, phase, spans.size());
  const bool ended =
      spans[phase].steps > 0 && state->step >= spans[phase].place.first_step + spans[phase].steps;
  return ended && phase + 1 < spans.size() ? phase + 1 : phase;
}

std::vector<int64_t> phase_ends(const std::vector<PhaseSpan>& spans) {
  std::vector<int64_t> ends;
  for (size_t i = 1; i < spans.size(); ++i) {
    ends.push_back(spans[i].place.first_step);
  }
  return ends;
}

}  // namespace lmzoo
