#include "train/config/word_settings.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "nn/words/options.h"
#include "objectives/parts/word_options.h"
#include "train/words/corpus.h"

namespace lmzoo {
namespace {

constexpr int64_t kEpochs = 5;
constexpr int64_t kSentence = 1000;
constexpr double kLowestShare = 1e-4;

void refuse_foreign_keys(const LoadedConfig& loaded) {
  const RunConfig& config = loaded.config;
  if (config.train.epochs) {
    loaded.places.fail("train.epochs", "is for model word2vec; other models have train.steps");
  }
  if (config.train.deterministic) {
    loaded.places.fail("train.deterministic", "is for model word2vec; other models always are");
  }
  if (config.optimizer.type == OptimizerType::sgd) {
    loaded.places.fail("optimizer.type", "is sgd, which is for model word2vec; legal: adamw");
  }
}

void set_defaults(RunConfig& config, const KeyPlaces& places) {
  const auto open = [&](const char* key) { return !places.written(key); };
  if (open("train.epochs")) {
    config.train.epochs = kEpochs;
  }
  if (open("optimizer.type")) {
    config.optimizer.type = OptimizerType::sgd;
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
  const OptimizerOptions optimizer;
  const EvalOptions eval;
  const auto idle = [&](const char* key, bool changed) {
    if (changed) {
      places.fail(key, "has no effect on word vectors: leave it out");
    }
  };
  idle("train.micro_batches", config.train.micro_batches != train.micro_batches);
  idle("train.precision", config.train.precision != train.precision);
  idle("train.max_skipped", config.train.max_skipped != train.max_skipped);
  idle("train.device", config.train.device != train.device && config.train.device != "cpu");
  idle("optimizer.weight_decay", config.optimizer.weight_decay != optimizer.weight_decay);
  idle("optimizer.beta1", config.optimizer.beta1 != optimizer.beta1);
  idle("optimizer.beta2", config.optimizer.beta2 != optimizer.beta2);
  idle("optimizer.eps", config.optimizer.eps != optimizer.eps);
  idle("optimizer.scale_by_rms", config.optimizer.scale_by_rms != optimizer.scale_by_rms);
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
  if (config.optimizer.type != OptimizerType::sgd) {
    places.fail("optimizer.type", "is adamw; model word2vec has sgd only");
  }
  if (config.schedule.type != ScheduleType::linear && config.schedule.type != ScheduleType::constant) {
    places.fail(
        "schedule.type",
        "is " + std::string(name_of(config.schedule.type)) + "; model word2vec has linear and constant");
  }
  refuse_idle_keys(config, places);
}

double word_learning_rate(const RunConfig& config, int64_t step, int64_t steps) {
  const double lr = config.optimizer.lr;
  if (config.schedule.type == ScheduleType::constant) {
    return lr;
  }
  const double left = 1 - static_cast<double>(step) / static_cast<double>(steps);
  return std::max({lr * left, config.schedule.min_lr, lr * kLowestShare});
}

// 6 · D a prediction and output: two products of rows there, one way of the gradient to each. CBOW also adds
// `window` + 1 rows up, and their error back.
WordVectorWork word_vector_work(const RunConfig& config, const Vocabulary& vocabulary) {
  const auto& options = config.objective.options.as<WordOptions>();
  const auto width = static_cast<double>(config.model.options.as<Word2vecOptions>().width);
  const auto around = static_cast<double>(options.window + 1);  // words in the mean window
  const double outputs = options.output == WordOutput::negative_sampling
                             ? static_cast<double>(options.negatives + 1)
                             : std::log2(static_cast<double>(vocabulary.counts->size()) + 1);
  const bool is_cbow = config.objective.type == kCbow;
  const double labels = is_cbow ? 1 : around;
  return {.labels_per_word = labels,
          .flops_per_word = 6 * width * labels * outputs + (is_cbow ? 2 * width * around : 0),
          .words_per_step = kStepWords};
}

}  // namespace lmzoo
