// Next-token prediction that learns to fill gaps: a share of the texts is cut in three, and their middle is told last
// (Bavarian et al., "Efficient training of language models to fill in the middle", 2022). The orders, with ids, are in
// objectives/parts/middle.h; every id has a loss, as in the paper, and a text that is not cut is learned as it is.
//
// The middle ends in eos, the paper's <EOT>: where it stops is learned even in windows of a stream, which end anywhere.
// Cuts fall between tokens, not characters: two places, each uniform from before the first id to behind the last, so
// that any part may be empty. (The paper cuts characters, so that a model meets parts of tokens; an objective has ids.)
//
// <PRE>, <SUF> and <MID> are tokens of the tokenizer by their names. Published ones have their own, such as
// <|fim_prefix|>; in one made here the first three sentinels serve.
#include "core/registry.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/middle.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/text_ids.h"

namespace lmzoo {
namespace {

struct FillInTheMiddleOptions {
  double rate = 0.5;       // the paper sees no harm to left-to-right text up to 0.9
  double spm_share = 0.5;  // of the texts that are cut
  std::string prefix_token = "<extra_id_0>";
  std::string suffix_token = "<extra_id_1>";
  std::string middle_token = "<extra_id_2>";

  static constexpr void fields(auto& self, auto& visit) {
    visit("rate", self.rate, "share of the texts whose middle is told last", between(0, 1));
    visit("spm_share",
          self.spm_share,
          "share of these that tells the suffix before the prefix, too",
          between(0, 1));
    visit("prefix_token", self.prefix_token, "name of the token that begins a text which is cut");
    visit("suffix_token", self.suffix_token, "name of the token before the suffix");
    visit("middle_token", self.middle_token, "name of the token that asks for the middle");
  }
};

class FillInTheMiddle final : public Objective {
 public:
  FillInTheMiddle(const FillInTheMiddleOptions& options, const ObjectiveContext& context)
      : options_(options),
        length_(context.sequence_length),
        eos_(required_token(context.vocabulary.eos, "eos", "fill_in_the_middle")) {
    const auto token = [&](const std::string& name) {
      return named_token(context.vocabulary, name, "fill_in_the_middle");
    };
    tokens_ = {.prefix = token(options.prefix_token),
               .suffix = token(options.suffix_token),
               .middle = token(options.middle_token)};
    check(tokens_.prefix != tokens_.suffix && tokens_.suffix != tokens_.middle &&
              tokens_.middle != tokens_.prefix,
          "prefix_token, suffix_token and middle_token are {}, {} and {}, but must be three different tokens",
          options.prefix_token,
          options.suffix_token,
          options.middle_token);
    require_plain_text(context.record, "fill_in_the_middle");
    require_length(length_, kAdded + 1, "fill_in_the_middle");
  }

  ObjectiveForm form() const override { return {.layout = Layout::stream}; }
  // The last id is only predicted.
  ObjectiveLengths lengths() const override {
    return {.raw = length_ + 1 - kAdded, .source = length_, .target = 0, .added = kAdded - 1};
  }

  std::optional<MiddleTokens> fills_in() const override {
    if (options_.rate == 0) {
      return std::nullopt;
    }
    return order(options_.spm_share == 1);
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream& stream) const override {
    return next_tokens(stream.uniform() < options_.rate ? middle_last(sample.ids, stream) : sample.ids);
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  static constexpr int64_t kAdded = 4;  // three tokens and eos

  MiddleTokens order(bool suffix_first) const {
    MiddleTokens tokens = tokens_;
    tokens.suffix_first = suffix_first;
    return tokens;
  }

  std::vector<int64_t> middle_last(std::span<const int64_t> text, Stream& stream) const {
    size_t first = stream.below(text.size() + 1);
    size_t last = stream.below(text.size() + 1);
    if (first > last) {
      std::swap(first, last);
    }
    const bool suffix_first = stream.uniform() < options_.spm_share;
    std::vector<int64_t> ids = before_middle(text.first(first), text.subspan(last), order(suffix_first));
    const auto middle = text.subspan(first, last - first);
    ids.insert(ids.end(), middle.begin(), middle.end());
    ids.push_back(eos_);
    return ids;
  }

  FillInTheMiddleOptions options_;
  int64_t length_, eos_;
  MiddleTokens tokens_;
};

}  // namespace

void register_fill_in_the_middle(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "fill_in_the_middle",
      .summary = "predict the next token, of texts whose middle may come last",
      .defaults = AnyOptions(FillInTheMiddleOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<FillInTheMiddle>(options.as<FillInTheMiddleOptions>(), context);
      }});
}

}  // namespace lmzoo
