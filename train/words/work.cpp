#include "train/words/work.h"

#include <algorithm>
#include <cmath>

#include "nn/words/options.h"
#include "objectives/parts/word_options.h"
#include "train/words/corpus.h"

namespace lmzoo {
namespace {

constexpr double kLowestShare = 1e-4;

}  // namespace

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
