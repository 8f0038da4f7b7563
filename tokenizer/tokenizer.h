// Text to ids and back. Four kinds (tokenizer.type):
//
//   sentencepiece  unigram or BPE; trained on the run's corpus, or loaded from a `.model`
//   byte           every byte is an id; nothing to train, nothing unknown
//   char           every character of the corpus is an id
//   words          every frequent word is an id, and these ids come first (tokenizer/words/words.h)
//
// Ids of a tokenizer made here:
//   0 <pad>  1 </s>  2 <unk>  3 <s>  4 [CLS]  5 [SEP]  6 [MASK]  7... pieces  ...  size-1 = <extra_id_0>
// The sentinels stand at the end in descending order, as T5 has them: <extra_id_i> = size-1-i.
// A loaded `.model` keeps the ids of its pieces; sentinels that it lacks follow them (T5: 32000...32099, so
// that 32099 is <extra_id_0>), and then the other special tokens that it lacks, in the order of above.
//
// encode() never gives the id of a special token, whatever the text says: "[MASK]" in a corpus is seven
// characters. encode_marked() is for prompts, where it means the token.
//
// Round trip: decode(encode(x)) is x as the tokenizer normalizes it. For sentencepiece that is Unicode NFKC
// (with nmt_nfkc also: control characters dropped, every kind of space one ' ', runs of spaces one, none at
// the ends); byte and char change nothing. Text is taken as UTF-8; broken sequences and NUL count as U+FFFD.
// A character that sentencepiece without byte_fallback or char does not know decodes to " ⁇ " or "\uFFFD".
//
// All const functions may be called from many threads at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/vocabulary.h"
#include "text/source.h"
#include "tokenizer/options.h"

namespace lmzoo {

// A Vocabulary with the names of its special tokens, e.g. "[MASK]" or "<extra_id_0>".
struct SpecialTokens {
  Vocabulary vocabulary;
  std::map<std::string, int64_t, std::less<>> ids;  // by name
  std::map<int64_t, std::string> names;             // by id
};

// What decode() does with special tokens: leaves them out, or writes their names as encode_marked() reads
// them.
enum class Specials { hide, show };

// Ids with the bytes of the text that each stands for: id i is of [begin[i], end[i]). Offsets never cut a
// character, so tokens of one character's bytes share its offsets. Of text with broken UTF-8 or NUL they
// count in the repaired text.
struct Encoding {
  std::vector<int64_t> ids;
  std::vector<int64_t> begin;
  std::vector<int64_t> end;
};

// One text or two with the special tokens around them as a checkpoint was trained: "[CLS] a [SEP] b [SEP]".
struct FramedText {
  std::vector<int64_t> ids;
  std::vector<int64_t> token_types;  // one an id: 0, or 1 for the second text where the frame says so
  int64_t first = 0;                 // where the first text's ids begin in `ids`
  int64_t second = 0;                // the same for the second one; the end of `ids` without one
};

class Tokenizer : public std::enable_shared_from_this<Tokenizer> {
 public:
  virtual ~Tokenizer() = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // No special tokens are added. Empty for text that normalizes to nothing.
  std::vector<int64_t> encode(std::string_view text) const;
  // The same, but the name of a special token in the text becomes its id. Text after one continues the word
  // unless a space stands between: "un[MASK]able", "a <extra_id_0> dog".
  std::vector<int64_t> encode_marked(std::string_view text) const;
  // As encode(), with the place of every id. Type words cannot tell places: InputError.
  Encoding encode_with_offsets(std::string_view text) const;
  Encoding encode_marked_with_offsets(std::string_view text) const;  // only published tokenizers can
  // Ids of one text or two in their frame of special tokens. A published tokenizer knows its own (its
  // post-processor); the others take [CLS] a [SEP] b [SEP] if they have these tokens, else a </s> b </s>.
  virtual FramedText with_specials(std::span<const int64_t> first,
                                   std::optional<std::span<const int64_t>> second = std::nullopt) const;
  // Valid UTF-8 for any ids in [0, size); others are InputErrors.
  std::string decode(std::span<const int64_t> ids, Specials specials = Specials::hide) const;

  std::string piece(int64_t id) const;                         // for display: "▁dog", "[MASK]", "<0x0A>"
  std::optional<int64_t> id_of(std::string_view piece) const;  // the inverse of piece()
  const Vocabulary& vocabulary() const { return specials_.vocabulary; }

  // Writes all that load_tokenizer() needs into `folder`, which is made if missing.
  void save(const std::string& folder) const;
  // 32 hexadecimal digits, equal exactly for tokenizers that save the same: a key for caches of ids.
  std::string fingerprint() const;

 protected:
  explicit Tokenizer(SpecialTokens specials);

  // Files of a saved tokenizer by name; lmzoo_tokenizer.json is one of them and tells the type, or there is a
  // tokenizer.json.
  virtual std::map<std::string, std::string> files() const = 0;

  // The parts that differ; none of them sees a special token. `text` is valid UTF-8 without NUL.
  virtual std::vector<int64_t> encode_text(std::string_view text) const = 0;
  virtual Encoding encode_text_with_offsets(std::string_view text) const;
  // encode_marked() and decode(), put together from the parts below unless a tokenizer has its own rules.
  virtual std::vector<int64_t> encode_marked_text(std::string_view text) const;
  virtual Encoding encode_marked_text_with_offsets(std::string_view text) const;
  virtual std::string decode_ids(std::span<const int64_t> ids, Specials specials) const;
  virtual std::string decode_text(std::span<const int64_t> ids) const = 0;
  // The same for text that stands directly after a special token, so that it may go on a word.
  virtual std::vector<int64_t> encode_continuation(std::string_view text) const { return encode_text(text); }
  virtual std::string decode_continuation(std::span<const int64_t> ids) const { return decode_text(ids); }
  // True when a space before a special token in encode_marked() is not text: decode() may then write one.
  virtual bool trims_spaces() const { return false; }
  virtual std::string text_piece(int64_t id) const = 0;
  virtual std::optional<int64_t> text_id(std::string_view piece) const = 0;

 private:
  SpecialTokens specials_;
  std::string first_bytes_;  // of all special names: where encode_marked() has to look closer
};

// Makes the tokenizer that the options describe. `corpus` is read only when it must be trained and its result
// (keyed by the options and the content of the corpus) is not in `cache_dir` yet; without a cache_dir nothing
// is kept. An impossible vocab_size is an InputError with the range that this corpus allows.
std::shared_ptr<const Tokenizer> make_tokenizer(const TokenizerOptions& options,
                                                const TextOptions& corpus,
                                                const std::string& cache_dir,
                                                const Progress& progress = {});

// What make_tokenizer() gives without training: a tokenizer that needs none, or one from the cache; else
// null. Writes nothing, and reads the corpus only for its hash.
std::shared_ptr<const Tokenizer> find_tokenizer(const TokenizerOptions& options,
                                                const TextOptions& corpus,
                                                const std::string& cache_dir);

// The vocabulary that training will give, as far as the options tell it: absent for a char tokenizer without
// vocab_size. Not for byte and loaded models, which find_tokenizer() always has.
std::optional<Vocabulary> planned_vocabulary(const TokenizerOptions& options);

// From a folder that Tokenizer::save() wrote. Nothing in it is trusted.
std::shared_ptr<const Tokenizer> load_tokenizer(const std::string& folder);

// A token of an encoded text for display (`lmzoo tokenizer encode`).
struct ShownToken {
  int64_t id = 0;
  std::string piece;
};
std::vector<ShownToken> show(const Tokenizer& tokenizer, std::span<const int64_t> ids);

}  // namespace lmzoo
