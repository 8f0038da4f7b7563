// One run from its configuration to its end, as `lmzoo train` and `lmzoo sweep` make it.
#pragma once

#include <string>

#include "train/config/run_config.h"
#include "train/loop/loop.h"

namespace lmzoo {

// Trains to the end, or until a stop signal comes (the caller handles it, train/loop/stop_signal.h): plan,
// progress and notes go to standard error, everything else into the folder `run`.
TrainResult train_run(const LoadedConfig& loaded,
                      const Registry& registry,
                      const std::string& run,
                      bool resume);

}  // namespace lmzoo
