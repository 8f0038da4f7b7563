// The ways to cut a word into pieces, side by side: byte-pair encoding by rank with the trace of its merges,
// the longest piece of the same vocabulary again and again, WordPiece, and the likeliest segmentation of a
// unigram model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

struct MergeStep {
  std::string left, right;
  int64_t rank = 0;
  std::vector<std::string> pieces;  // of the word after it
};

struct Segmentation {
  std::string way;  // "bpe", "longest match", "wordpiece", "unigram"
  std::vector<std::string> pieces;
};

struct WordComparison {
  std::string word;
  std::vector<std::string> characters;  // what the merges begin with; empty without a BPE model
  std::vector<MergeStep> merges;
  std::vector<Segmentation> ways;
};

// Each word of the text (between white space) by each of the tokenizers, which are those of huggingface.h or
// trained as wordpiece, byte_bpe or unigram; others show their pieces under their type's name.
std::vector<WordComparison> compare_segmentations(
    std::string_view text, const std::vector<std::shared_ptr<const Tokenizer>>& tokenizers);

// Small tokenizers of all three types from one text file, of at most `vocab_size` ids each.
std::vector<std::shared_ptr<const Tokenizer>> train_to_compare(const std::string& file, int64_t vocab_size);

// Each word with its segmentations and the trace of its merges.
Json to_json(const std::vector<WordComparison>& words);
std::string to_text(const std::vector<WordComparison>& words);

}  // namespace lmzoo
