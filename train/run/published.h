// A published checkpoint as a run that can be asked, and as a run folder.
#pragma once

#include <string>

#include "train/exchange/huggingface/import.h"
#include "train/run/assemble.h"

namespace lmzoo {

struct PublishedRun {
  LoadedRun run;  // on the CPU
  KeyAccount account;
};

// The folder's model with its weights, its tokenizer (or one of ids only) and, if lmzoo has one for its head,
// its objective. `device` is only noted in the run.
PublishedRun load_huggingface(const std::string& folder,
                              const Registry& registry,
                              const std::string& device = "");

// Writes RUN with one checkpoint, step 0. `run` must not exist; it appears whole or not at all. `adapter`: a
// folder of the PEFT library's (peft.h) that is merged into the weights; empty: none.
KeyAccount import_folder(const std::string& folder,
                         const std::string& run,
                         const Registry& registry,
                         const std::string& adapter = "");

}  // namespace lmzoo
