// content_of, inputs_of and inputs_of_frozen of assemble.h.
#include <algorithm>
#include <filesystem>

#include "base/check.h"
#include "io/content_hash.h"
#include "train/run/assemble.h"
#include "train/start/other_pieces.h"

namespace lmzoo {

std::string content_of(const std::string& weights) {
  std::vector<std::string> files{weights};
  if (std::filesystem::is_directory(weights)) {
    files.clear();
    for (const auto& entry : std::filesystem::directory_iterator(weights)) {
      const std::string kind = entry.path().extension().string();
      if (entry.is_regular_file() && (kind == ".safetensors" || kind == ".bin" || kind == ".pt")) {
        files.push_back(entry.path().string());
      }
    }
    std::sort(files.begin(), files.end());
  }
  ContentHash hash;
  for (const std::string& file : files) {
    hash.add_file(file);
  }
  return hash.hex();
}

std::map<std::string, std::string> inputs_of(const Tokenizer& tokenizer,
                                             const TokenStore& train,
                                             const TokenStore* valid) {
  std::map<std::string, std::string> inputs{{"tokenizer", tokenizer.fingerprint()},
                                            {"training text", train.fingerprint()}};
  if (valid != nullptr) {
    inputs["validation text"] = valid->fingerprint();
  }
  if (!train.classes().empty()) {
    ContentHash hash;
    for (const std::string& name : train.classes()) {
      hash.add(name);
    }
    inputs["list of classes"] = hash.hex();
  }
  return inputs;
}

void add_input(const RunText& text, const TokenStore& store, std::map<std::string, std::string>& inputs) {
  const std::string kind = text.use == TextUse::train ? "training text" : "validation text";
  inputs[text.is_main() ? kind : kind + " " + text.name.substr(text.name.find('.') + 1)] =
      store.fingerprint();
}

std::map<std::string, std::string> inputs_of_frozen(const Objective& objective, const Tokenizer& tokenizer) {
  std::map<std::string, std::string> inputs;
  for (const FurtherModel& further : objective.further_models()) {
    if (further.file.empty()) {
      continue;
    }
    const std::filesystem::path file(further.file);
    const std::string folder =
        std::filesystem::is_directory(file) ? further.file : file.parent_path().string();
    const std::string other = other_pieces(folder, tokenizer);
    check(other.empty(), "{}: its vocabulary is another one: {}", further.name, other);
    inputs[further.name] = content_of(further.file);
  }
  return inputs;
}

}  // namespace lmzoo
