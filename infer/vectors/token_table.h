// The vectors of a transformer's vocabulary: rows of its token embedding, or states of a layer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "infer/vectors/vector_table.h"
#include "train/run/assemble.h"

namespace lmzoo {

struct TokenTableOptions {
  // Absent: rows of the token embedding, the same in every context. Else the states of this layer for each
  // word alone, as in "[CLS] word [SEP]".
  std::optional<int64_t> layer{};
  std::vector<std::string> words{};  // rows; empty: every token of the vocabulary that is not special
};

// Tokens are named as words are written: "▁owl" is "owl", and in such a vocabulary a token that cannot begin
// a word, "ing", is "##ing". A word that is no token gets the mean of its tokens' vectors.
VectorTable token_table(const LoadedRun& run,
                        const TokenTableOptions& options,
                        const Progress& progress = {});

}  // namespace lmzoo
