// How much of a text is corrupted: a number, or one that changes while a model learns (from a hard task to the one that
// it is measured on: Yang et al. 2022, "Learning better masking for better language model pre-training", section 3.1;
// GPT-BERT, arXiv 2410.24159, section 3.2: 0.30 to 0.15).
//
//   rate: 0.15
//   rate: {from: 0.30, to: 0.15}                  over the whole run
//   rate: {from: 0.30, to: 0.15, over: 0.5}       over its first half; to stays
//   rate: {from: 0.30, to: 0.15, steps: 10000}    over so many steps
#pragma once

#include <cstdint>
#include <optional>

#include "base/number_or_group.h"
#include "core/example.h"

namespace lmzoo {

struct RateSchedule {
  double from = 0.3;
  double to = 0.15;
  std::optional<double> over{};    // share of the run in which it gets there; absent: the whole
  std::optional<int64_t> steps{};  // or so many steps

  static constexpr void fields(auto& self, auto& visit) {
    visit("from", self.from, "at the first step", inside(0, 1));
    visit("to", self.to, "in the end, and in evaluation unless eval_rate says another", inside(0, 1));
    visit("over",
          self.over,
          "share of the run in which it gets there, in a straight line; absent: 1",
          Range{0, 1, true});
    visit("steps", self.steps, "steps in which it gets there, instead of a share of the run", at_least(1));
  }
  bool operator==(const RateSchedule&) const = default;
};

class Rate final : public NumberOrGroup {
 public:
  Rate(double number) : number_(number) {}  // NOLINT(google-explicit-constructor): `Rate rate = 0.15;`
  explicit Rate(const RateSchedule& schedule) : number_(schedule.to), schedule_(schedule) {}

  // Of a sample at this place in training. In evaluation a schedule is at its end.
  double at(const TrainingPlace& place) const;
  void check_legal() const;  // InputError when over and steps are both given

  double* number() override { return schedule_ ? nullptr : &number_; }
  double& become_number() override;
  void visit(FieldVisitor& visitor) override;

 private:
  double number_;
  std::optional<RateSchedule> schedule_{};
};

}  // namespace lmzoo
