#include "objectives/parts/rate.h"

#include <algorithm>

#include "base/check.h"

namespace lmzoo {

double Rate::at(const TrainingPlace& place) const {
  if (!schedule_) {
    return number_;
  }
  double done = 1;
  if (!place.evaluates) {
    done = schedule_->steps ? static_cast<double>(std::max<int64_t>(place.step - 1, 0)) /
                                  static_cast<double>(*schedule_->steps)
                            : place.share() / schedule_->over.value_or(1);
  }
  return schedule_->from + (schedule_->to - schedule_->from) * std::min(done, 1.0);
}

void Rate::check_legal() const {
  check(!schedule_ || !schedule_->over || !schedule_->steps,
        "rate.over is a share of the run and rate.steps a number of steps: give one of them");
}

double& Rate::become_number() {
  schedule_.reset();
  return number_;
}

void Rate::visit(FieldVisitor& visitor) {
  if (!schedule_) {
    schedule_.emplace();
  }
  visit_fields(*schedule_, visitor);
}

}  // namespace lmzoo
