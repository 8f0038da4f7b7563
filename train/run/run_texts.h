// The texts that a configuration names: data.train, data.valid, data.test and those of data.mixture, by the names that the
// log, `plan` and `lmzoo eval --split` have for them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/registry.h"
#include "data/batches/mixture.h"
#include "train/config/run_config.h"

namespace lmzoo {

enum class TextUse { train, evaluate, test };

struct RunText {
  std::string name;  // train, valid, test; train.NAME and valid.NAME of a corpus of data.mixture
  std::string key;   // in the YAML
  TextOptions options{};
  TextUse use = TextUse::train;
  int64_t corpus = 0;  // as Sample has it

  bool is_main() const { return corpus == 0; }
};

// data.train first, then data.valid and data.test, then the corpora.
std::vector<RunText> run_texts(const RunConfig& config);

// What objectives are told of the texts to train on.
std::vector<CorpusShape> corpus_shapes(const RunConfig& config);

// Windows of the texts to train on, in the order of corpus_shapes, with their shares. InputError at data.mixture.
MixedWindows mixed_windows(const LoadedConfig& loaded, std::span<const Windows> windows);

// The share of each, as far as it is known before the texts are: none for shares by size.
std::vector<double> known_shares(const RunConfig& config);

}  // namespace lmzoo
