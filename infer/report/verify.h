// What an objective promises of its draws, counted on the text of a configuration, through the loader that trains on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/witness.h"
#include "io/json.h"
#include "train/config/run_config.h"

namespace lmzoo {

struct Verification {
  std::string objective;
  int64_t tokens = 0, samples = 0;  // of the text; a short one is read again and again, with other draws
  std::vector<WitnessedPromise> promises;  // none: nothing is drawn

  bool holds() const;
};

// Of at least so many tokens. InputError where it draws but states no promises: word vectors, whose loop is another.
Verification verify_objective(const LoadedConfig& loaded, const Registry& registry, int64_t tokens);

std::string to_text(const Verification& verification);
Json to_json(const Verification& verification);

}  // namespace lmzoo
