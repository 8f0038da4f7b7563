// One run from its configuration to its end, as `lmzoo train` and `lmzoo sweep` make it.
#pragma once

#include <string>

#include "core/device.h"
#include "train/config/run_config.h"
#include "train/loop/loop.h"

namespace lmzoo {

// Before anything else of the run is computed (core/device.h). Word vectors are trained on the CPU alone.
DeviceChoice choose_device_of(const LoadedConfig& loaded);

// What to do with a run that is there.
struct GoOn {
  bool resume = false;        // go on from its newest valid checkpoint
  bool other_inputs = false;  // also with another text or tokenizer than before
};

// Trains to the end, or until a stop signal comes (the caller handles it, train/loop/stop_signal.h): plan,
// progress and notes go to standard error, everything else into the folder `run`.
TrainResult train_run(const LoadedConfig& loaded,
                      const Registry& registry,
                      const std::string& run,
                      const GoOn& go_on);

}  // namespace lmzoo
