// The training loader as the endless stream that the loop wants.
#pragma once

#include <memory>

#include "data/batches/loader.h"
#include "train/loop/batch_source.h"

namespace lmzoo {

std::unique_ptr<BatchSource> make_loader_source(const MixedWindows& windows,
                                                const LoaderSteps& steps,
                                                const LoaderOptions& options);

}  // namespace lmzoo
