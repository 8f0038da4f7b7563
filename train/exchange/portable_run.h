// What of a run other programs know. The exchange sees neither configurations nor run folders: train/run/
// makes this of them (portable()).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "core/model.h"
#include "core/objective.h"
#include "tokenizer/tokenizer.h"
#include "train/exchange/ask_options.h"
#include "train/tune/fine_tune.h"

namespace lmzoo {

struct PortableRun {
  std::string folder;                      // for messages
  std::string model_type, objective_type;  // as in the registry
  AnyOptions model_options, objective_options;
  std::shared_ptr<Model> model;
  std::shared_ptr<Objective> objective;
  std::shared_ptr<const Tokenizer> tokenizer;  // null while a run is put together: nothing is written then
  std::vector<std::string> classes;
  std::optional<LoraOptions> lora;
  TextsAsked asked{};
};

}  // namespace lmzoo
