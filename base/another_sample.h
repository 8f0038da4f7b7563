// Another document of a text, for objectives that learn what follows what.
#pragma once

#include <cstdint>
#include <functional>

#include "base/rng.h"
#include "base/sample.h"

namespace lmzoo {

// A sample by its index in [0, count).
struct SampleSource {
  int64_t count = 0;
  std::function<Sample(int64_t)> at{};  // thread-safe
};

// The sample with Sample::another: any of the source that is another text, drawn anew up to ten times where it is not (as
// google-research/bert's create_pretraining_data.py does it; of two equal documents neither is another). InputError when
// there is no other.
Sample with_another(Sample sample, const SampleSource& source);

}  // namespace lmzoo
