// adapter_config.json of the PEFT library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/json.h"
#include "train/tune/lora_options.h"

namespace lmzoo {

// What of it changes the arithmetic.
struct PeftConfig {
  int64_t rank = 8;
  double alpha = 8;
  double dropout = 0;
  LoraScaling scaling = LoraScaling::rank;
};

// InputError `FILE: key: what it is, what is legal` for what lmzoo does not compute.
PeftConfig read_peft_config(const std::string& file);

// `modules` and `saved`: Hugging Face's names of what is adapted and of what is trained as a whole.
struct PeftModules {
  std::vector<std::string> modules, saved;
  bool transposed = false;     // the modules hold their weights as [in, out]
  std::string task_type = "";  // SEQ_CLS, CAUSAL_LM, ...; empty: null
};
Json write_peft_config(const LoraOptions& options, const PeftModules& modules);

}  // namespace lmzoo
