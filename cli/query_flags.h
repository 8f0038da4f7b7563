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
// The run that is asked, RUN unless another flag names it. InputError when it is a YAML.
std::string run_argument(const Flags& flags, const std::string& name = "RUN");
LoadedRun load_query_run(const Flags& flags, const Registry& registry);

// --text, --file or standard input.
void add_prompt_flags(Flags& flags);
Strings prompts_of(const Flags& flags);
// An array with an object for each text of --file or standard input; the object alone for the one text of --text.
void print_answers(const Flags& flags, const Json& all);

// How the next token is chosen, and the seed of the draws.
void add_sampling_flags(Flags& flags);
SamplingOptions sampling_of(const Flags& flags);
Stream sampling_stream(const Flags& flags, uint64_t index);

}  // namespace lmzoo
