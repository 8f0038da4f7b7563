// A whole tokenizer: added tokens are cut out, the rest is normalized, cut into words, and each word is
// encoded by the model.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/published/pieces/model.h"
#include "tokenizer/published/pieces/word_cache.h"
#include "tokenizer/published/stages/added_tokens.h"
#include "tokenizer/published/stages/decoders.h"
#include "tokenizer/published/stages/frame.h"
#include "tokenizer/published/stages/normalizers.h"
#include "tokenizer/published/stages/pre_tokenizers.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo::huggingface {

struct PipelineParts {
  NormalizerPtr normalizer;  // may be null
  PreTokenization pre_tokenizer;
  std::unique_ptr<PieceModel> model;
  std::vector<AddedToken> added;
  Frame frame;
  DecoderPtr decoder;  // null: pieces are joined with spaces
};

class Pipeline {
 public:
  explicit Pipeline(PipelineParts parts);

  // `text` is valid UTF-8 without NUL. `specials`: names of special tokens in the text become their ids. Safe
  // for many threads at once.
  std::vector<int64_t> encode(std::string_view text, bool specials) const;
  Encoding encode_with_offsets(std::string_view text, bool specials) const;
  FramedText frame(std::span<const int64_t> first, std::optional<std::span<const int64_t>> second) const;
  std::string decode(std::span<const int64_t> ids, bool specials) const;

  size_t ids() const { return ids_; }  // all ids are below
  std::string piece(PieceId id) const;
  PieceId find(std::string_view piece) const;
  const AddedTokens& added() const { return added_; }
  const PieceModel& model() const { return *parts_.model; }

  // The words that the model would see, for display.
  std::vector<std::string> words(std::string_view text) const;

 private:
  // Memory of one call.
  struct Workspace {
    WordCache cache{};
    Scratch scratch{};
    std::vector<Token> tokens{};
    std::vector<Found> raw{}, normalized{};
    std::string word{};
    std::vector<uint32_t> places{};
  };
  class Lease;
  class Output;

  std::string normalized(std::string_view text) const;
  void run(std::string_view text, bool specials, Output& out) const;
  void run_stretch(AlignedText text, Output& out) const;
  void encode_word(std::string_view word, Workspace& work) const;
  void encode_bytes(std::string_view word, Workspace& work) const;

  PipelineParts parts_;
  AddedTokens added_;
  size_t ids_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> free_;
};

// The words that a model sees of a text without added tokens. `normalizer` may be null.
std::vector<std::string> words_of(const Normalizer* normalizer,
                                  const PreTokenization& pre_tokenizer,
                                  std::string_view text);

// The pipeline that a tokenizer.json describes; `file` is for messages.
std::unique_ptr<const Pipeline> read_pipeline(const Json& json, const std::string& file);

}  // namespace lmzoo::huggingface
