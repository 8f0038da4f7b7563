#include "train/loop/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lmzoo {
namespace {

// 1 at the beginning of the decay (part = 0), 0 at its end (part = 1).
double decayed(DecayShape shape, double part) {
  switch (shape) {
    case DecayShape::linear:
      return 1 - part;
    case DecayShape::cosine:
      return (1 + std::cos(std::numbers::pi * part)) / 2;
    case DecayShape::one_minus_sqrt:
      return 1 - std::sqrt(part);
  }
  return 0;
}

int64_t decay_steps(const ScheduleOptions& options, int64_t steps) {
  return std::llround(options.decay_fraction * static_cast<double>(steps));
}

// From lr after step `from` to min_lr at the last step.
double decay(const ScheduleOptions& options,
             const ScheduleContext& context,
             DecayShape shape,
             int64_t from,
             int64_t step) {
  if (step <= from) {
    return context.lr;
  }
  const double length = static_cast<double>(context.steps - from);
  const double part = std::min(static_cast<double>(step - from) / length, 1.0);
  return options.min_lr + (context.lr - options.min_lr) * decayed(shape, part);
}

}  // namespace

void validate(const ScheduleOptions& options, const ScheduleContext& context) {
  const bool decays = options.type == ScheduleType::linear || options.type == ScheduleType::cosine ||
                      options.type == ScheduleType::wsd;
  check(options.warmup_steps <= context.steps,
        "schedule.warmup_steps = {} but must be at most train.steps = {}",
        options.warmup_steps,
        context.steps);
  check(!decays || options.min_lr <= context.lr,
        "schedule.min_lr = {:g} but must be at most optimizer.lr = {:g}",
        options.min_lr,
        context.lr);
  if (options.type == ScheduleType::wsd) {
    const int64_t last = decay_steps(options, context.steps);
    check(options.warmup_steps + last <= context.steps,
          "schedule.warmup_steps = {} and {} steps of decay (decay_fraction {:g}) but train.steps = {} must "
          "hold both",
          options.warmup_steps,
          last,
          options.decay_fraction,
          context.steps);
  }
}

double learning_rate(const ScheduleOptions& options, const ScheduleContext& context, int64_t step) {
  const double n = static_cast<double>(step);
  const double w = static_cast<double>(std::max<int64_t>(options.warmup_steps, 1));
  if (options.type == ScheduleType::noam) {
    return context.lr / std::sqrt(static_cast<double>(context.width)) *
           std::min(1 / std::sqrt(n), n / (w * std::sqrt(w)));
  }
  if (step < options.warmup_steps) {
    return context.lr * n / w;
  }
  switch (options.type) {
    case ScheduleType::linear:
      return decay(options, context, DecayShape::linear, options.warmup_steps, step);
    case ScheduleType::cosine:
      return decay(options, context, DecayShape::cosine, options.warmup_steps, step);
    case ScheduleType::wsd:
      return decay(
          options, context, options.decay_shape, context.steps - decay_steps(options, context.steps), step);
    case ScheduleType::inverse_sqrt:
      return context.lr * std::sqrt(w / n);
    default:
      return context.lr;
  }
}

}  // namespace lmzoo
