// Watches an objective make examples, and counts whether it keeps what it promises.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/objective.h"
#include "core/promise.h"

namespace lmzoo {

struct WitnessedPromise {
  std::string name;
  std::string kind;  // "always", "mean", "spread", "evenly"
  Finding finding;
};

class Witness {
 public:
  // What is counted are the promises of the objective itself, unless others are given (for tests: a witness must notice
  // an objective that does something else).
  explicit Witness(std::shared_ptr<const Objective> objective);
  Witness(std::shared_ptr<const Objective> objective, std::vector<Promise> promises);

  // The examples that the objective makes; `stream` goes on as it does for them.
  std::vector<Example> examples(const Sample& sample, const TrainingPlace& place, Stream& stream);

  // Whether another stream gave another example, ever.
  bool draws() const { return draws_; }
  bool states_promises() const { return !promises_.empty(); }
  int64_t tokens() const { return tokens_; }  // of the samples
  int64_t samples() const { return samples_; }
  // The promises in their order, and that the same stream draws the same example. An objective that does not draw has
  // none.
  std::vector<WitnessedPromise> findings() const;

 private:
  std::shared_ptr<const Objective> objective_;
  std::vector<Promise> promises_;
  Always repeats_;
  bool draws_ = false;
  int64_t tokens_ = 0, samples_ = 0;
};

}  // namespace lmzoo
