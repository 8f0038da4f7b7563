#include "train/loop/interval.h"

#include <cmath>

#include "base/check.h"

namespace lmzoo {

TrainRow Interval::row(const TrainState& state) const {
  const auto ratio = [](double a, double b) { return b > 0 ? a / b : std::nan(""); };
  return {.step = state.step,
          .loss = ratio(loss_sum, total),
          .grad_norm = ratio(norm_sum, static_cast<double>(steps)),
          .tokens = state.tokens,
          .labels = state.labels,
          .tokens_per_s = ratio(static_cast<double>(tokens), seconds),
          .target_tokens_per_s = ratio(static_cast<double>(targets), seconds),
          .flops_per_s = ratio(flops, seconds),
          .skipped = state.skipped,
          .seconds = state.seconds};
}

Json to_json(const Interval& interval) {
  return {{"loss_sum", interval.loss_sum},
          {"norm_sum", interval.norm_sum},
          {"steps", interval.steps},
          {"total", interval.total},
          {"tokens", interval.tokens},
          {"targets", interval.targets},
          {"flops", interval.flops},
          {"seconds", interval.seconds}};
}

Interval interval_from(const Json& json) {
  Interval interval;
  if (json.is_null()) {
    return interval;
  }
  try {
    json.at("loss_sum").get_to(interval.loss_sum);
    json.at("norm_sum").get_to(interval.norm_sum);
    json.at("steps").get_to(interval.steps);
    json.at("total").get_to(interval.total);
    json.at("tokens").get_to(interval.tokens);
    json.at("targets").get_to(interval.targets);
    json.at("flops").get_to(interval.flops);
    json.at("seconds").get_to(interval.seconds);
  } catch (const Json::exception& error) {
    throw InputError(fmt::format("state.json: interval: not as lmzoo writes it: {}", error.what()));
  }
  return interval;
}

}  // namespace lmzoo
