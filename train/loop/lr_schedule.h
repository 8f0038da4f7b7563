// The learning rate of every step.
//
// Steps count from 1: step n's update uses learning_rate(n). With w = warmup_steps, T = steps:
//   warm-up       lr · n/w                                        for n <= w, in every schedule
//   constant      lr
//   linear        straight from (w, lr) to (T, min_lr)
//   cosine        half a cosine from (w, lr) to (T, min_lr)
//   inverse_sqrt  lr · sqrt(w/n), as fairseq; w of 0 counts as 1
//   noam          lr · width^-1/2 · min(n^-1/2, n·w^-3/2), as "Attention is all you need": lr is a factor
//                 (1 or 2)
//   wsd           lr, and in the last decay_fraction of the steps down to min_lr by decay_shape
#pragma once

#include <cstdint>
#include <utility>

#include "base/fields.h"

namespace lmzoo {

enum class ScheduleType { constant, linear, cosine, inverse_sqrt, noam, wsd };
template <>
struct EnumNames<ScheduleType> {
  static constexpr std::pair<ScheduleType, std::string_view> values[] = {
      {ScheduleType::constant, "constant"},
      {ScheduleType::linear, "linear"},
      {ScheduleType::cosine, "cosine"},
      {ScheduleType::inverse_sqrt, "inverse_sqrt"},
      {ScheduleType::noam, "noam"},
      {ScheduleType::wsd, "wsd"}};
};

enum class DecayShape { linear, cosine, one_minus_sqrt };
template <>
struct EnumNames<DecayShape> {
  static constexpr std::pair<DecayShape, std::string_view> values[] = {
      {DecayShape::linear, "linear"}, {DecayShape::cosine, "cosine"}, {DecayShape::one_minus_sqrt, "1-sqrt"}};
};

struct ScheduleOptions {
  ScheduleType type = ScheduleType::cosine;
  int64_t warmup_steps = 0;
  double min_lr = 0;                                    // reached at the last step; linear, cosine and wsd
  double decay_fraction = 0.1;                          // of all steps; wsd
  DecayShape decay_shape = DecayShape::one_minus_sqrt;  // wsd

  static constexpr void fields(auto& self, auto& visit) {
    visit("type", self.type, "how the learning rate goes down after the warm-up");
    visit("warmup_steps", self.warmup_steps, "steps over which the learning rate rises from 0", at_least(0));
    visit("min_lr", self.min_lr, "learning rate of the last step (linear, cosine, wsd)", at_least(0));
    visit("decay_fraction", self.decay_fraction, "part of the steps in which wsd decays", between(0, 1));
    visit("decay_shape", self.decay_shape, "how wsd decays");
  }
  bool operator==(const ScheduleOptions&) const = default;
};

// The parts of a run that a schedule depends on.
struct ScheduleContext {
  double lr = 0;      // optimizer.lr
  int64_t steps = 0;  // T
  int64_t width = 0;  // of the model; noam
};

// Refuses a schedule that cannot be: a warm-up (and decay) longer than the run, min_lr above lr.
void validate(const ScheduleOptions& options, const ScheduleContext& context);

double learning_rate(const ScheduleOptions& options, const ScheduleContext& context, int64_t step);

}  // namespace lmzoo
