// What a text-to-text run writes for the sources of its data, beside what it should have written: the
// material of BLEU, ROUGE and exact match.
#pragma once

#include "base/progress.h"
#include "data/batches/windows.h"
#include "metrics/task.h"
#include "tokenizer/tokenizer.h"
#include "train/run/assemble.h"

namespace lmzoo {

// Whether the run writes targets, and has some here to compare them with.
bool writes_targets(const Parts& parts, const Windows& windows);

// Greedy, a text for each sample. The expected ones are what the targets' ids decode to, so that what a
// tokenizer normalizes does not count.
TextPredictions write_targets(const Parts& parts,
                              const Tokenizer& tokenizer,
                              const Windows& windows,
                              const Progress& progress);

}  // namespace lmzoo
