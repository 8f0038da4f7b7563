// Questions to a model that was trained on a task: samples of one's own through the objective's forms to its
// predictions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/sample.h"
#include "core/predictions.h"
#include "train/run/assemble.h"

namespace lmzoo {

// One prediction for each sample, in their order; texts that are too long are cut as in training. Labels of
// the samples are not looked at. InputError when the run's objective predicts nothing.
Predictions ask(const Parts& parts, std::span<const Sample> samples);

}  // namespace lmzoo
