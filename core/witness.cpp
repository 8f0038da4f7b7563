#include "core/witness.h"

#include <algorithm>
#include <array>

#include "core/drawing_objective.h"

namespace lmzoo {
namespace {

bool same_sequence(const TokenSequence& a, const TokenSequence& b) {
  return a.ids == b.ids && a.token_types == b.token_types;
}

bool same_target(const Target& a, const Target& b) {
  return a.slot == b.slot && a.sequence == b.sequence && a.at == b.at && a.labels == b.labels &&
         a.values == b.values && a.weights == b.weights;
}

std::vector<Promise> promises_of(const Objective& objective) {
  const auto* const draws = dynamic_cast<const DrawingObjective*>(&objective);
  return draws == nullptr ? std::vector<Promise>() : draws->promises();
}

// All but the note, which is the objective's own.
bool same_example(const Example& a, const Example& b) {
  return a.layout == b.layout && a.sees_both_sides == b.sees_both_sides &&
         std::ranges::equal(a.sequences, b.sequences, same_sequence) &&
         std::ranges::equal(a.targets, b.targets, same_target);
}

}  // namespace

Witness::Witness(std::shared_ptr<const Objective> objective) : Witness(objective, promises_of(*objective)) {}

Witness::Witness(std::shared_ptr<const Objective> objective, std::vector<Promise> promises)
    : objective_(std::move(objective)), promises_(std::move(promises)) {}

std::vector<Example> Witness::examples(const Sample& sample, const TrainingPlace& place, Stream& stream) {
  const Stream before = stream;
  std::vector<Example> made = objective_->examples(sample, place, stream);
  Stream again = before;
  repeats_.add(std::ranges::equal(made, objective_->examples(sample, place, again), same_example));
  if (!draws_) {
    Stream other({.seed = static_cast<uint64_t>(samples_), .purpose = Purpose::sampling});
    draws_ = !std::ranges::equal(made, objective_->examples(sample, place, other), same_example);
  }
  for (const Example& example : made) {
    const SeenExample seen{sample, place, before, example};
    for (Promise& promise : promises_) {
      promise.count(seen, promise.evidence);
    }
  }
  tokens_ += std::ssize(sample.ids);
  ++samples_;
  return made;
}

std::vector<WitnessedPromise> Witness::findings() const {
  constexpr std::array kKinds{"always", "mean", "spread", "evenly"};
  std::vector<WitnessedPromise> found;
  if (promises_.empty() && !draws_) {
    return found;
  }
  for (const Promise& promise : promises_) {
    found.push_back({promise.name, kKinds.at(promise.evidence.index()), find(promise.evidence)});
  }
  found.push_back({"the same stream draws the same example", kKinds[0], repeats_.find()});
  return found;
}

}  // namespace lmzoo
