// assemble_word_vectors of assemble.h.
#include "core/machine_memory.h"
#include "train/run/assemble.h"

namespace lmzoo {

WordVectorParts assemble_word_vectors(const LoadedConfig& loaded,
                                      const Registry& registry,
                                      const std::string& tokenizer_folder,
                                      ProgressBar::Style style) {
  WordVectorParts made;
  made.tokenizer =
      tokenizer_folder.empty() ? make_run_tokenizer(loaded, style) : load_tokenizer(tokenizer_folder);
  made.store =
      open_store(loaded, "data.train", loaded.config.data.train, made.tokenizer, std::nullopt, style);
  made.inputs = inputs_of(*made.tokenizer, *made.store, nullptr);
  check_weights_fit(loaded, registry, made.tokenizer->vocabulary(), usable_memory());
  made.parts = build_parts(loaded, registry, made.tokenizer->vocabulary(), {});
  const auto windows_of = [&](std::shared_ptr<const TokenStore> store) {
    return make_windows(loaded, *made.parts.objective, made.tokenizer->vocabulary(), std::move(store));
  };
  made.texts.push_back(text_notes("train", loaded.config.data.train, windows_of(made.store)));
  if (loaded.config.data.valid) {
    const auto valid =
        open_store(loaded, "data.valid", *loaded.config.data.valid, made.tokenizer, std::nullopt, style);
    made.inputs = inputs_of(*made.tokenizer, *made.store, valid.get());
    const Windows windows = windows_of(valid);
    made.texts.push_back(text_notes("valid", *loaded.config.data.valid, windows));
    made.valid = make_eval_set("valid", windows, made.parts, loaded.config);
  }
  return made;
}

}  // namespace lmzoo
