// How masked language models are masked: which tokens of a text are predicted, and what stands in their place. Dialects
// differ in both (n: ids of the text with its special ones; p: rate; U: uniform in [0, 1)):
//
//   dialect   how many                        of which tokens            80/10/10     a random id
//   bert      max(1, round(n·p))              all but [CLS], [SEP]       a piece      any
//   hf        each with probability p         all but special ones       a piece      any
//   roberta   int(n·p + U)                    all, special ones too      a piece      no special one
//   electra   max(1, round(n·p)), replacing   all but [CLS], [SEP],      85/0/15      -
//                                             [MASK]                     a draw
//   gpt-bert  spans of 1, 2 or 3 pieces       all but special ones       a span       no special one
//             until max(1, int(m·p + U)); m: n without the frame
//
//   bert      google-research/bert, create_pretraining_data.py; round is half to even
//   hf        transformers, DataCollatorForLanguageModeling; a short text may have no label at all
//   roberta   fairseq, MaskTokensDataset
//   electra   google-research/electra, pretrain_helpers.mask: draws with replacement, so that a token drawn twice is
//             masked if either draw masks it, and its label counts twice
//   gpt-bert  Charpentier & Samuel 2024 (arXiv 2410.24159), section 3: the text is tiled by spans, whole spans are taken
//
// whole_words takes words for pieces. bert and hf (DataCollatorForWholeWordMask) then both take words in a random order
// and pass over one that would exceed max(1, round(n·p)) pieces; 80/10/10 stays a piece's. roberta counts words
// instead of pieces, special tokens being words, and draws 80/10/10 for a word.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/vocabulary.h"
#include "core/example.h"
#include "objectives/parts/masked_view.h"
#include "objectives/parts/noise.h"
#include "objectives/parts/rate.h"
#include "objectives/parts/words.h"

namespace lmzoo {

enum class MaskingDialect { bert, hf, roberta, electra, gpt_bert };
template <>
struct EnumNames<MaskingDialect> {
  static constexpr std::pair<MaskingDialect, std::string_view> values[] = {
      {MaskingDialect::bert, "bert"},
      {MaskingDialect::hf, "hf"},
      {MaskingDialect::roberta, "roberta"},
      {MaskingDialect::electra, "electra"},
      {MaskingDialect::gpt_bert, "gpt-bert"}};
};

struct MaskingOptions {
  MaskingDialect dialect = MaskingDialect::bert;
  Rate rate = 0.15;                          // more: more labels a step, less context for each
  std::optional<double> eval_rate{};         // in evaluation; absent: the rate, of a schedule its end
  std::optional<double> mask_share{};        // absent: 0.8; electra: 0.85
  std::optional<double> random_share{};      // absent: 0.1; electra: 0. The rest keeps its token
  std::optional<int64_t> max_predictions{};  // of a sequence; BERT: 20 at length 128
  bool whole_words = false;
};

// For objectives that have more options beside them.
constexpr void visit_masking(auto& self, auto& visit) {
  visit("dialect",
        self.dialect,
        "how tokens are chosen: bert exactly rate of them, hf each with probability rate, roberta as fairseq "
        "does, electra with replacement, gpt-bert spans of 1 to 3");
  visit("rate",
        self.rate,
        "share of the tokens that is predicted, a number or a schedule {from, to, over or steps}",
        inside(0, 1));
  visit("eval_rate", self.eval_rate, "rate in evaluation; absent: rate, or where it ends", inside(0, 1));
  visit("mask_share",
        self.mask_share,
        "share of the predicted tokens that is replaced by the mask; absent: 0.8, electra 0.85",
        between(0, 1));
  visit("random_share",
        self.random_share,
        "share of the predicted tokens that is replaced by a random one; absent: 0.1, electra 0",
        between(0, 1));
  visit("max_predictions",
        self.max_predictions,
        "most predicted tokens of a sequence (bert, electra and hf with whole_words)",
        at_least(1));
  visit("whole_words", self.whole_words, "hide words instead of pieces (bert, hf, roberta)");
}
MaskingOptions masking_options(const auto& o) {
  return {.dialect = o.dialect,
          .rate = o.rate,
          .eval_rate = o.eval_rate,
          .mask_share = o.mask_share,
          .random_share = o.random_share,
          .max_predictions = o.max_predictions,
          .whole_words = o.whole_words};
}

// Shares of what replaces a predicted token, and the tokenizer's mask; refuses what `user` cannot do without.
Replacement required_replacement(const Vocabulary& vocabulary,
                                 double mask_share,
                                 double random_share,
                                 std::string_view user);
// Ids that stand for text.
std::vector<int64_t> text_ids(const Vocabulary& vocabulary);

// int(n·p + u), fairseq's probabilistic rounding.
int64_t rounded_by_chance(double n, double u);
// max(1, round(n·p))
int64_t at_least_one(int64_t length, double rate);

class Masking {
 public:
  Masking(const MaskingOptions& options, const Vocabulary& vocabulary, std::string_view user);

  // `frame`: so many special ids stand before the text, and behind it.
  struct Frame {
    int64_t before = 0, after = 0;
  };
  // `weights` of each id of the vocabulary, for dialects that take tokens one by one (hf); empty: all alike.
  MaskedText corrupt(std::vector<int64_t> ids,
                     const Frame& frame,
                     const TrainingPlace& place,
                     Stream& stream,
                     std::span<const double> weights = {}) const;
  // Whether it can follow weights.
  bool takes_weights() const { return options_.dialect == MaskingDialect::hf && !options_.whole_words; }

  // What it promises of examples in which it hid tokens (masking_promises.cpp).
  std::vector<Promise> promises(const MaskedViewOf& view) const;

  // Whether a label may count more than once.
  bool repeats() const { return options_.dialect == MaskingDialect::electra; }

 private:
  struct Chosen {
    std::vector<int64_t> positions;  // ascending; of electra repeated
    std::vector<int64_t> sizes{};    // of what 80/10/10 is drawn for; empty: of each position
  };
  Chosen choose(std::span<const int64_t> ids, const Frame& frame, double rate, Stream& stream) const;
  Chosen choose_by(std::span<const double> weights,
                   std::span<const int64_t> ids,
                   double rate,
                   Stream& stream) const;
  Chosen choose_words(std::span<const int64_t> ids, double rate, Stream& stream) const;
  Chosen choose_spans(std::span<const int64_t> ids, const Frame& frame, double rate, Stream& stream) const;
  double rate_at(const TrainingPlace& place) const;
  Units hidden_as_words(std::span<const int64_t> ids) const;  // without special tokens
  int64_t budget(int64_t length, double rate) const;
  std::vector<Promise> token_promises(const MaskedViewOf& view) const;
  std::vector<Promise> word_promises(const MaskedViewOf& view) const;
  void count_tokens(const MaskedView& text, double rate, Mean& share) const;
  std::vector<int64_t> candidates(std::span<const int64_t> ids) const;
  void mark_never_chosen(const Vocabulary& vocabulary);
  MaskedText with_repeats(std::vector<int64_t> ids, const Chosen& chosen, Stream& stream) const;

  MaskingOptions options_;
  Replacement replacement_;
  SharedEdges edges_;               // null without whole words
  std::vector<bool> never_chosen_;  // [vocabulary size]
};

}  // namespace lmzoo
