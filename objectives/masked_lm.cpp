// Masked language modeling: some tokens of [CLS] text [SEP] are hidden or replaced, and only these are
// predicted (Devlin et al., "BERT", 2018).
//
//   text    101 1996 4248 2829 4419 14523 2058 1996 13971 3899 102   [CLS] the quick brown fox ... dog [SEP]
//   ids     101 1996 4248  103 2829 14523 2058 1996 13971 3899 102
//   labels  3:2829 4:4419 9:3899                                     no loss at other positions
//
// (3 was masked; 4 got a random id, which happens to be "brown"; 9 was kept.)
//
// Dialects differ in which positions are chosen; 80/10/10 is then drawn for each token alone, and a random id
// comes from the whole vocabulary, special ids included:
//   bert  exactly min(max_predictions, max(1, round(length · rate))) positions, where length counts [CLS] and
//         [SEP], which are never chosen (google-research/bert, create_pretraining_data.py)
//   hf    every token that is not special with probability `rate`, so a short text may have no label at all
//         (Hugging Face, DataCollatorForLanguageModeling)
#include <algorithm>
#include <limits>

#include "core/registry.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/noise.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

enum class MaskedLmDialect { bert, hf };

struct MaskedLmOptions {
  MaskedLmDialect dialect = MaskedLmDialect::bert;
  double rate = 0.15;       // more: more labels a step, less context for each
  double mask_share = 0.8;  // the rest of mask_share + random_share keeps its token
  double random_share = 0.1;
  std::optional<int64_t> max_predictions;  // of a sequence; BERT: 20 at length 128

  static constexpr void fields(auto& self, auto& visit) {
    visit("dialect",
          self.dialect,
          "how positions are chosen: bert exactly rate of them, hf each with probability rate");
    visit("rate", self.rate, "share of the tokens that is predicted", inside(0, 1));
    visit("mask_share",
          self.mask_share,
          "share of the predicted tokens that is replaced by the mask",
          between(0, 1));
    visit("random_share",
          self.random_share,
          "share of the predicted tokens that is replaced by a random one",
          between(0, 1));
    visit("max_predictions",
          self.max_predictions,
          "most predicted tokens of a sequence (bert only)",
          at_least(1));
  }
};

}  // namespace

template <>
struct EnumNames<MaskedLmDialect> {
  static constexpr std::pair<MaskedLmDialect, std::string_view> values[] = {{MaskedLmDialect::bert, "bert"},
                                                                            {MaskedLmDialect::hf, "hf"}};
};

namespace {

class MaskedLm final : public Objective {
 public:
  MaskedLm(const MaskedLmOptions& options, const ObjectiveContext& context)
      : options_(options), length_(context.sequence_length) {
    const Vocabulary& vocabulary = context.vocabulary;
    cls_ = required_token(vocabulary.cls, "[CLS]", "masked_lm");
    sep_ = required_token(vocabulary.sep, "[SEP]", "masked_lm");
    replacement_ = {.mask = required_token(vocabulary.mask, "[MASK]", "masked_lm"),
                    .vocabulary_size = vocabulary.size,
                    .mask_share = options.mask_share,
                    .random_share = options.random_share};
    require_plain_text(context.record, "masked_lm");
    require_length(length_, 3, "masked_lm");
    check(options.mask_share + options.random_share <= 1,
          "mask_share + random_share is {:g} but must be at most 1",
          options.mask_share + options.random_share);
    check(options.dialect == MaskedLmDialect::bert || !options.max_predictions,
          "max_predictions belongs to dialect bert; dialect hf chooses every token on its own");
    for (int64_t id = 0; id < vocabulary.size; ++id) {
      const bool hf_never = options.dialect == MaskedLmDialect::hf && vocabulary.is_special(id);
      never_chosen_.push_back(id == cls_ || id == sep_ || hf_never);
    }
  }

  ObjectiveForm form() const override { return {.layout = Layout::in_place, .needs_both_sides = true}; }
  ObjectiveLengths lengths() const override {
    return {.raw = length_ - 2, .source = length_, .target = 0, .added = 2};
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream& stream) const override {
    std::vector<int64_t> ids{cls_};
    ids.insert(ids.end(), sample.ids.begin(), sample.ids.end());
    ids.push_back(sep_);
    std::vector<int64_t> positions = choose(ids, stream);
    std::vector<int64_t> originals;
    originals.reserve(positions.size());
    for (const int64_t position : positions) {
      originals.push_back(ids[position]);
    }
    const std::vector<int64_t> replacements = draw_replacements(originals, replacement_, stream);
    MaskedText masked = replace_tokens(std::move(ids), std::move(positions), replacements);
    return in_place(std::move(masked.ids), std::move(masked.positions), std::move(masked.labels));
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  std::vector<int64_t> choose(std::span<const int64_t> ids, Stream& stream) const {
    std::vector<int64_t> candidates;
    for (int64_t i = 0; i < std::ssize(ids); ++i) {
      if (!never_chosen_.at(ids[i])) {
        candidates.push_back(i);
      }
    }
    if (options_.dialect == MaskedLmDialect::hf) {
      return choose_each(candidates, options_.rate, stream);
    }
    const int64_t wanted =
        std::max<int64_t>(1, round_half_even(static_cast<double>(ids.size()) * options_.rate));
    const int64_t most = options_.max_predictions.value_or(std::numeric_limits<int64_t>::max());
    return choose_exactly(candidates, std::min(most, wanted), stream);
  }

  MaskedLmOptions options_;
  int64_t length_;
  int64_t cls_ = 0;
  int64_t sep_ = 0;
  Replacement replacement_;
  std::vector<bool> never_chosen_;  // [vocabulary size]
};

}  // namespace

void register_masked_lm(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "masked_lm",
      .summary = "predict hidden tokens from both sides",
      .defaults = AnyOptions(MaskedLmOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<MaskedLm>(options.as<MaskedLmOptions>(), context);
      }});
}

}  // namespace lmzoo
