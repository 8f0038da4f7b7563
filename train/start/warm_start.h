// Weights of an earlier run as the beginning of a new one. Strict: a key that is missing, left over or of
// another shape is an error unless the YAML lists it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "core/model.h"
#include "core/objective.h"
#include "core/parameters.h"
#include "train/start/embedding_start.h"

namespace lmzoo {

struct WarmStartOptions {
  std::string from = "";   // a run (its best checkpoint), a checkpoint, a .safetensors file or a folder of
                           // Hugging Face's
  bool objective = false;  // load the objective's own weights (a classifier's head), too
  std::vector<int64_t> layers = {};              // blocks of a larger model that the run's blocks begin with
  std::optional<int64_t> every{};                // the same: block 0, every, 2 · every, ...
  std::vector<std::string> allow_missing = {};   // globs of names that keep their fresh initial values
  std::vector<std::string> allow_extra = {};     // globs of names in the file that are not used
  std::vector<std::string> allow_reshaped = {};  // globs: only the part that both shapes have is copied
  std::vector<std::string> freeze = {};          // globs of parameters that are not trained
  std::string adapter = "";         // folder of the PEFT library's, for the additions of fine_tune.lora
  EmbeddingStartOptions vectors{};  // word vectors for the token embedding, after all of the above

  static constexpr void fields(auto& self, auto& visit) {
    visit("from",
          self.from,
          "a run, a checkpoint, a .safetensors file or a Hugging Face folder to begin from; empty: none");
    visit("objective", self.objective, "load the objective's own weights (its head), too");
    visit("layers",
          self.layers,
          "blocks of a larger model, from 0, one for each block here that begins with it; empty: the same",
          at_least(0));
    visit("every", self.every, "the same as layers: [0, every, 2 · every, ...]", at_least(1));
    visit("allow_missing",
          self.allow_missing,
          "globs of names that may be absent and keep their initial values");
    visit("allow_extra", self.allow_extra, "globs of names in the file that may be left unused");
    visit(
        "allow_reshaped", self.allow_reshaped, "globs of names of another shape whose common part is copied");
    visit("freeze", self.freeze, "globs of parameters that are not trained, as in model.embedding.*");
    visit(
        "adapter",
        self.adapter,
        "folder of a LoRA adapter in the PEFT library's format, which the additions of fine_tune.lora begin "
        "with; empty: none");
    visit("vectors", self.vectors, "word vectors that the token embedding begins with");
  }
  bool operator==(const WarmStartOptions&) const = default;
};

struct WarmStartReport {
  std::string file;
  std::vector<std::string> loaded, missing, extra, reshaped, frozen;
  bool model_is_whole = true;  // no tensor of the model kept its initial values
};

// The file, or the folder of Hugging Face's, that `from` means; throws InputError when there is none.
std::string warm_start_file(const std::string& from);

// Loads and freezes. The error names every key that does not fit, and nothing is changed then. Without
// `objective`, keys "objective.*" of the file are ignored and those of the run keep their initial values.
// With an empty `from`, only freezes. A folder of Hugging Face's may lack a head or a pooler as a whole,
// which then keep their initial values (reported as missing); `objective_name`, as in the registry, tells
// which of their heads is the objective's.
WarmStartReport warm_start(Model& model,
                           Objective& objective,
                           const WarmStartOptions& options,
                           const std::string& objective_name = "");

}  // namespace lmzoo
