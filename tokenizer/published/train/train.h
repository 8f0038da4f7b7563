// Training what is saved as a tokenizer.json: WordPiece, byte-level BPE and unigram vocabularies.
//
// WordPiece and BPE merge the most frequent pair of neighbors again and again (Sennrich et al. 2016); of
// pairs that are equally frequent the one whose pieces came first. Unigram is trained by SentencePiece.
// Special tokens and sentinels have the ids of every tokenizer made here (tokenizer/tokenizer.h). The
// same text gives the same bytes on every machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "text/source.h"
#include "tokenizer/options.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

// type: word_piece, byte_bpe or unigram.
std::shared_ptr<const Tokenizer> train_pipeline(const TokenizerOptions& options,
                                                const TextOptions& corpus,
                                                const Progress& progress);

namespace huggingface {

struct CountedWord {
  std::string text;
  int64_t count = 0;
};

struct MergeTraining {
  std::vector<std::string> alphabet{};  // pieces that there are in any case, in the order of their ids
  std::string prefix{};                 // of a piece inside of a word
  size_t size = 0;                      // pieces wanted
  int64_t min_count = 2;                // rarer pairs do not merge
};

struct Merges {
  std::vector<std::string> pieces;  // alphabet first; fewer than wanted when the text has no more pairs
  std::vector<std::pair<std::string, std::string>> merges;
};

// `words`: each once. Characters beyond the alphabet are added to it, the most frequent first, as far as
// `size` allows; the others are left out.
Merges train_merges(const std::vector<CountedWord>& words,
                    const MergeTraining& options,
                    const Progress& progress);

}  // namespace huggingface
}  // namespace lmzoo
