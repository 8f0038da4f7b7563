// Weights of an earlier run as the beginning of a new one. Strict: a key that is missing, left over or of
// another shape is an error unless the YAML lists it.
#pragma once

#include <string>
#include <vector>

#include "core/fields.h"
#include "train/parameters.h"

namespace lmzoo {

struct WarmStartOptions {
  std::string from = "";   // a run folder (its best checkpoint), a checkpoint folder or a .safetensors file
  bool objective = false;  // load the objective's own weights (a classifier's head), too
  std::vector<std::string> allow_missing = {};   // globs of names that keep their fresh initial values
  std::vector<std::string> allow_extra = {};     // globs of names in the file that are not used
  std::vector<std::string> allow_reshaped = {};  // globs: only the part that both shapes have is copied
  std::vector<std::string> freeze = {};          // globs of parameters that are not trained

  static constexpr void fields(auto& self, auto& visit) {
    visit("from", self.from, "a run, a checkpoint or a .safetensors file to begin from; empty: none");
    visit("objective", self.objective, "load the objective's own weights (its head), too");
    visit("allow_missing",
          self.allow_missing,
          "globs of names that may be absent and keep their initial values");
    visit("allow_extra", self.allow_extra, "globs of names in the file that may be left unused");
    visit(
        "allow_reshaped", self.allow_reshaped, "globs of names of another shape whose common part is copied");
    visit("freeze", self.freeze, "globs of parameters that are not trained, as in model.embedding.*");
  }
  bool operator==(const WarmStartOptions&) const = default;
};

struct WarmStartReport {
  std::string file;
  std::vector<std::string> loaded, missing, extra, reshaped, frozen;
};

// The file that `from` means; throws InputError when there is none.
std::string warm_start_file(const std::string& from);

// Loads and freezes. The error names every key that does not fit, and nothing is changed then. Without
// `objective`, keys "objective.*" of the file are ignored and those of the run keep their initial values.
// With an empty `from`, only freezes.
WarmStartReport warm_start(Model& model, Objective& objective, const WarmStartOptions& options);

}  // namespace lmzoo
