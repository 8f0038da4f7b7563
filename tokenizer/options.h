// The YAML section `tokenizer`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "text/words/options.h"

namespace lmzoo {

enum class TokenizerType { sentencepiece, byte, character, words, pretrained, word_piece, byte_bpe, unigram };
template <>
struct EnumNames<TokenizerType> {
  static constexpr std::pair<TokenizerType, std::string_view> values[] = {
      {TokenizerType::sentencepiece, "sentencepiece"},
      {TokenizerType::byte, "byte"},
      {TokenizerType::character, "char"},
      {TokenizerType::words, "words"},
      {TokenizerType::pretrained, "pretrained"},
      {TokenizerType::word_piece, "wordpiece"},
      {TokenizerType::byte_bpe, "byte_bpe"},
      {TokenizerType::unigram, "unigram"}};
};

enum class PieceAlgorithm { unigram, bpe };
template <>
struct EnumNames<PieceAlgorithm> {
  static constexpr std::pair<PieceAlgorithm, std::string_view> values[] = {
      {PieceAlgorithm::unigram, "unigram"}, {PieceAlgorithm::bpe, "bpe"}};
};

// Names of SentencePiece's rule sets. nmt_: also cleans control characters and spaces; _cf: also folds case.
enum class Normalization { nmt_nfkc, nfkc, nmt_nfkc_cf, nfkc_cf, identity };
template <>
struct EnumNames<Normalization> {
  static constexpr std::pair<Normalization, std::string_view> values[] = {
      {Normalization::nmt_nfkc, "nmt_nfkc"},
      {Normalization::nfkc, "nfkc"},
      {Normalization::nmt_nfkc_cf, "nmt_nfkc_cf"},
      {Normalization::nfkc_cf, "nfkc_cf"},
      {Normalization::identity, "identity"}};
};

struct TokenizerOptions {
  TokenizerType type = TokenizerType::sentencepiece;
  std::string path{};
  std::string model{};
  std::vector<std::string> files{};
  PieceAlgorithm algorithm = PieceAlgorithm::unigram;
  std::optional<int64_t> vocab_size{};
  int64_t sentinels = 100;
  bool add_specials = true;
  bool byte_fallback = true;
  double character_coverage = 0.9995;
  Normalization normalization = Normalization::nmt_nfkc;
  bool keep_spaces = false;
  int64_t training_bytes = int64_t{8} << 20;
  bool lower = true;
  Punctuation punctuation = Punctuation::keep;
  int64_t min_count = 5;
  int64_t max_words = 0;
  std::optional<PhraseOptions> phrases{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("type",
          self.type,
          "sentencepiece, byte, char, words, pretrained (of a published checkpoint or a run), or trained "
          "here and "
          "saved as "
          "Hugging Face's tokenizer.json: wordpiece, byte_bpe, unigram");
    visit("path",
          self.path,
          "pretrained: the folder with tokenizer.json, vocab.txt, vocab.json or a .model, or the tokenizer/ "
          "of a run");
    visit("model", self.model, "sentencepiece: an existing .model file instead of training one");
    visit("files", self.files, "train on these texts instead of data.train, so that runs share a tokenizer");
    visit("algorithm", self.algorithm, "sentencepiece training: unigram or bpe");
    visit("vocab_size",
          self.vocab_size,
          "all ids, special tokens and sentinels too; absent: every character for char, else 8000",
          between(1, 10'000'000));
    visit("sentinels",
          self.sentinels,
          "number of <extra_id_i> tokens; span corruption needs them",
          between(0, 10'000));
    visit("add_specials",
          self.add_specials,
          "model: append special tokens that the file lacks, such as [MASK]");
    visit("byte_fallback",
          self.byte_fallback,
          "sentencepiece training: spend 256 ids on bytes, so that no character is unknown");
    visit("character_coverage",
          self.character_coverage,
          "sentencepiece training: share of the corpus's characters that get an id of their own",
          Range{.low = 0.5, .high = 1.0});
    visit("normalization", self.normalization, "sentencepiece training: Unicode normal form of the text");
    visit("keep_spaces",
          self.keep_spaces,
          "sentencepiece training: keep runs of spaces; with normalization: identity line ends too");
    visit("training_bytes",
          self.training_bytes,
          "sentencepiece training: at most so much text, a uniform sample of the corpus",
          between(1, int64_t{1} << 30));
    visit("lower", self.lower, "words and wordpiece: lower-case the text (wordpiece: and strip accents)");
    visit("punctuation",
          self.punctuation,
          "words: keep it as part of words, split it off as words of its own, or drop it");
    visit("min_count", self.min_count, "words: those that occur less often are unknown", at_least(1));
    visit("max_words",
          self.max_words,
          "words: keep at most so many, the most frequent; 0: all",
          between(0, 1'000'000'000));
    visit("phrases", self.phrases, "words: join frequent pairs to one word; absent: no phrases");
  }
  bool operator==(const TokenizerOptions&) const = default;
};

}  // namespace lmzoo
