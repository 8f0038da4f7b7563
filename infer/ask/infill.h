// What a finished run writes for the gaps of a text, <extra_id_0>, <extra_id_1>, ...: an encoder-decoder for all of them
// (infer/ask/fill_mask.h), a decoder-only model that was trained by fill_in_the_middle for the one there is:
//
//   the <extra_id_0> owl     reads <PRE> the <SUF> owl <MID>, and writes the middle up to the end symbol
#pragma once

#include <string>

#include "infer/ask/fill_mask.h"
#include "train/run/assemble.h"

namespace lmzoo {

// InputError when the run has not learned to fill gaps, or the text does not have those that it fills.
Infilling infill(const LoadedRun& run,
                 const std::string& text,
                 const GenerateOptions& options,
                 Stream& stream);

}  // namespace lmzoo
