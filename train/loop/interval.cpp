#include "train/loop/interval.h"

#include <algorithm>
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

void Interval::add(const std::vector<int64_t>& more, std::vector<int64_t>& sums) {
  sums.resize(std::max(sums.size(), more.size()));
  for (size_t i = 0; i < more.size(); ++i) {
    sums[i] += more[i];
  }
}

NamedCounts named(const std::vector<std::string>& names, const std::vector<int64_t>& counts) {
  NamedCounts all;
  for (size_t i = 0; i < std::min(names.size(), counts.size()); ++i) {
    all.emplace_back(names[i], counts[i]);
  }
  return all;
}

std::vector<std::string> names_of_several(const std::vector<Slot>& slots) {
  std::vector<std::string> names;
  for (size_t s = 0; s < (slots.size() > 1 ? slots.size() : 0); ++s) {
    names.push_back(slots[s].name);
  }
  return names;
}

Json to_json(const Interval& interval) {
  return {{"loss_sum", interval.loss_sum},
          {"norm_sum", interval.norm_sum},
          {"steps", interval.steps},
          {"total", interval.total},
          {"tokens", interval.tokens},
          {"targets", interval.targets},
          {"flops", interval.flops},
          {"seconds", interval.seconds},
          {"corpora", interval.corpora},
          {"slot_labels", interval.slot_labels}};
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
    interval.corpora = json.value("corpora", interval.corpora);  // older ones lack both
    interval.slot_labels = json.value("slot_labels", interval.slot_labels);
  } catch (const Json::exception& error) {
    throw InputError(fmt::format("state.json: interval: not as lmzoo writes it: {}", error.what()));
  }
  return interval;
}

}  // namespace lmzoo
