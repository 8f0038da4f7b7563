// The flags that every question to a finished run has, and the run they load.
#pragma once

#include "cli/flags.h"
#include "core/cpu_setup.h"
#include "infer/decode/prompts.h"
#include "infer/decode/sampling.h"
#include "train/run/assemble.h"

namespace lmzoo {

void add_query_flags(Flags& flags);   // RUN and those of the next line
void add_device_flags(Flags& flags);  // --device, --threads, --json
LoadedRun load_query_run(const Flags& flags, const Registry& registry);

// --text, --file or standard input.
void add_prompt_flags(Flags& flags);
Strings prompts_of(const Flags& flags);

// How the next token is chosen, and the seed of the draws.
void add_sampling_flags(Flags& flags);
SamplingOptions sampling_of(const Flags& flags);
Stream sampling_stream(const Flags& flags, uint64_t index);

}  // namespace lmzoo
