// The objective of a checkpoint that was trained for none that can be built here: a body without a head, or
// one without the tokenizer that its objective needs. Whoever needs it is told why there is none.
#pragma once

#include <string>

#include "base/error.h"
#include "core/objective.h"

namespace lmzoo {

class NoObjective final : public Objective {
 public:
  explicit NoObjective(std::string reason) : reason_(std::move(reason)) {}

  ObjectiveForm form() const override { refuse(); }
  ObjectiveLengths lengths() const override { refuse(); }
  std::optional<int64_t> begins_with() const override { refuse(); }
  Example example(const Sample&, const TrainingPlace&, Stream&) const override { refuse(); }
  Losses loss(Model&, const Batch&, Stream&) override { refuse(); }

 private:
  [[noreturn]] void refuse() const { throw InputError(reason_); }

  std::string reason_;
};

}  // namespace lmzoo
