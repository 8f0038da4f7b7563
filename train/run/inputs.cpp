// inputs_of of assemble.h.
#include "io/content_hash.h"
#include "train/run/assemble.h"

namespace lmzoo {

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

}  // namespace lmzoo
