#include "train/words/step_log.h"

#include <cmath>

#include "base/check.h"

namespace lmzoo {

StepLog::StepLog(const Settings& settings, TrainState& state, ProgressBar& progress)
    : settings_(settings),
      state_(state),
      progress_(progress),
      log_(settings.run, LoggedUntil{state.step, state.evaluated_step}),
      next_(state.step),
      pairs_(static_cast<double>(state.labels)),
      seconds_at_row_(state.seconds) {
  if (state.interval.is_null()) {
    return;
  }
  try {
    state.interval.at("words").get_to(since_row_.words);
    state.interval.at("pairs").get_to(since_row_.pairs);
    state.interval.at("loss").get_to(since_row_.loss);
    state.interval.at("loss_pairs").get_to(since_row_.loss_pairs);
    state.interval.at("seconds_at_row").get_to(seconds_at_row_);
  } catch (const Json::exception& error) {
    throw InputError(fmt::format("state.json: interval: not as lmzoo writes it: {}", error.what()));
  }
}

Json StepLog::interval() const {
  return {{"words", since_row_.words},
          {"pairs", since_row_.pairs},
          {"loss", since_row_.loss},
          {"loss_pairs", since_row_.loss_pairs},
          {"seconds_at_row", seconds_at_row_}};
}

void StepLog::start_clock() { began_ = std::chrono::steady_clock::now(); }

double StepLog::seconds() const {
  return state_.seconds + std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
}

void StepLog::stop_clock() {
  state_.seconds = seconds();
  began_ = std::chrono::steady_clock::now();
}

void StepLog::finish(int64_t step, float lr, const WordStepSums& sums) {
  if (!std::isfinite(sums.loss)) {
    broken_step_ = step;
  }
  const std::lock_guard lock(mutex_);
  waiting_.emplace(step, Done{lr, sums});
  for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_;
       first = waiting_.begin()) {
    const Done& done = first->second;
    since_row_.words += done.sums.words;
    since_row_.pairs += done.sums.pairs;
    since_row_.loss += done.sums.loss;
    since_row_.loss_pairs += done.sums.loss_pairs;
    lr_ = done.lr;
    state_.tokens += done.sums.words;
    pairs_ += done.sums.pairs;
    state_.labels = std::llround(pairs_);
    state_.step = ++next_;
    waiting_.erase(first);
    if (next_ % settings_.log_every == 0 || next_ == settings_.steps) {
      row();
    }
  }
  progress_.update(state_.step * kStepWords, text_);
}

void StepLog::evaluation(const std::string& split, const EvalResult& result) {
  log_.eval(state_.step, split, result.values());
  log_.flush();
}

void StepLog::row() {
  const double now = seconds();
  const double took = now - seconds_at_row_;
  const auto rate = [&](double count) { return took > 0 ? count / took : 0; };
  const double loss = since_row_.loss_pairs > 0 ? since_row_.loss / since_row_.loss_pairs : std::nan("");
  log_.train({.step = next_,
              .loss = loss,
              .lr = lr_,
              .grad_norm = std::nan(""),
              .tokens = state_.tokens,
              .labels = state_.labels,
              .tokens_per_s = rate(static_cast<double>(since_row_.words)),
              .target_tokens_per_s = rate(since_row_.pairs),
              .flops_per_s = rate(since_row_.pairs * settings_.pair_flops),
              .memory_bytes = peak_memory_bytes(at::kCPU),
              .skipped = 0,
              .seconds = now});
  log_.flush();
  char text[96];
  std::snprintf(text, sizeof text, "loss %.4f  lr %.2e", loss, static_cast<double>(lr_));
  text_ = text;
  last_loss_ = loss;
  since_row_ = {};
  seconds_at_row_ = now;
}

}  // namespace lmzoo
