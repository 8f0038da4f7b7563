#include "train/config/word_settings.h"

#include "base/check.h"
#include "objectives/parts/word_options.h"

namespace lmzoo {
namespace {

constexpr int64_t kEpochs = 5;
constexpr int64_t kSentence = 1000;

void refuse_foreign_keys(const LoadedConfig& loaded) {
  const RunConfig& config = loaded.config;
  // A resolved configuration has both, with steps as they are by default.
  if (config.train.epochs && config.train.steps != TrainOptions{}.steps) {
    loaded.places.fail(
        "train.epochs",
        fmt::format(
            "is {} beside train.steps = {}; give one of them", *config.train.epochs, config.train.steps));
  }
  if (config.optimizer.type == kWordOptimizer) {
    loaded.places.fail("optimizer.type",
                       "is sgd, which is for model word2vec; `lmzoo list optimizers` has others");
  }
}

void set_defaults(RunConfig& config, const KeyPlaces& places) {
  const auto open = [&](const char* key) { return !places.written(key); };
  if (open("train.epochs")) {
    config.train.epochs = kEpochs;
  }
  if (open("optimizer.lr")) {
    config.optimizer.lr = config.objective.type == kCbow ? 0.05 : 0.025;
  }
  if (open("schedule.type")) {
    config.schedule.type = ScheduleType::linear;
  }
  if (open("data.sequence_length")) {
    config.data.sequence_length = kSentence;
  }
  if (open("tokenizer.sentinels")) {
    config.tokenizer.sentinels = 0;
  }
}

// A key that changes nothing here is a misunderstanding.
void refuse_idle_keys(const RunConfig& config, const KeyPlaces& places) {
  const TrainOptions train;
  const OptimizerChoice optimizer;
  const EvalOptions eval;
  const auto idle = [&](const char* key, bool changed) {
    if (changed) {
      places.fail(key, "has no effect on word vectors: leave it out");
    }
  };
  idle("train.micro_batches", config.train.micro_batches != train.micro_batches);
  idle("train.precision", config.train.precision != train.precision);
  idle("train.max_skipped", config.train.max_skipped != train.max_skipped);
  idle("data.mixture", config.data.mixture.has_value());
  idle("train.save_at", config.train.save_at != train.save_at);
  idle("train.device", config.train.device != train.device && config.train.device != "cpu");
  idle("optimizer.clip_norm", config.optimizer.clip_norm != optimizer.clip_norm);
  idle("schedule.warmup_steps", config.schedule.warmup_steps != 0);
  idle("eval.every", config.eval.every != eval.every);
  idle("eval.at_start", config.eval.at_start != eval.at_start);
  idle("eval.patience", config.eval.patience != eval.patience);
  idle("warm_start.from", !config.warm_start.from.empty());
  idle("warm_start.freeze", !config.warm_start.freeze.empty());
  idle("warm_start.adapter", !config.warm_start.adapter.empty());
  idle("fine_tune", config.fine_tune != FineTuneOptions{});
}

}  // namespace

bool trains_word_vectors(const RunConfig& config) { return config.model.type == "word2vec"; }

void settle_word_vectors(LoadedConfig& loaded) {
  RunConfig& config = loaded.config;
  const KeyPlaces& places = loaded.places;
  const bool word_objective = config.objective.type == kSkipgram || config.objective.type == kCbow;
  if (word_objective != trains_word_vectors(config)) {
    places.fail("objective.type",
                word_objective
                    ? config.objective.type + " goes with model word2vec only"
                    : "is " + config.objective.type + "; model word2vec goes with skipgram and cbow");
  }
  if (!trains_word_vectors(config)) {
    refuse_foreign_keys(loaded);
    return;
  }
  if (places.written("train.steps") && !places.written("train.epochs")) {
    places.fail("train.steps", "does not tell how long word vectors train; give train.epochs");
  }
  set_defaults(config, places);
  if (config.tokenizer.type != TokenizerType::words) {
    places.fail("tokenizer.type",
                "is " + std::string(name_of(config.tokenizer.type)) + "; model word2vec needs words");
  }
  if (config.optimizer.type != kWordOptimizer) {
    places.fail("optimizer.type", "is " + config.optimizer.type + "; model word2vec has sgd only");
  }
  if (config.schedule.type != ScheduleType::linear && config.schedule.type != ScheduleType::constant) {
    places.fail(
        "schedule.type",
        "is " + std::string(name_of(config.schedule.type)) + "; model word2vec has linear and constant");
  }
  refuse_idle_keys(config, places);
}

}  // namespace lmzoo
