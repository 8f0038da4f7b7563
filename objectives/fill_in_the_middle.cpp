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
#include <algorithm>
#include <cmath>

#include "core/drawing_objective.h"
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

class FillInTheMiddle final : public DrawingObjective {
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

  std::vector<Promise> promises() const override;

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

  static constexpr int64_t kAdded = 4;  // three tokens and eos

 private:
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

// A text of n ids whose middle comes last. SPM does not say where its prefix ends.
struct CutText {
  bool suffix_first = false;  // or the prefix is empty, and both orders are one
  int64_t n = 0;
  int64_t prefix = 0;  // of PSM
  int64_t last = 0;    // where the suffix begins
  std::vector<int64_t> text{};
};

// Absent: the text is as it was. An empty one: in no legal order.
std::optional<CutText> cut_text(const SeenExample& seen, const MiddleTokens& tokens, int64_t eos) {
  std::vector<int64_t> ids = seen.example.sequences.front().ids;
  const std::vector<int64_t>& labels = seen.example.targets.front().labels;
  if (ids.front() != tokens.prefix || labels.empty()) {
    return std::nullopt;
  }
  ids.push_back(labels.back());
  const auto find = [&](int64_t token) { return std::ranges::find(ids, token); };
  const auto suffix = find(tokens.suffix);
  const auto middle = find(tokens.middle);
  if (suffix == ids.end() || middle == ids.end() || middle < suffix || ids.back() != eos) {
    return CutText{};
  }
  CutText cut{.suffix_first = suffix == ids.begin() + 1,
              .n = std::ssize(ids) - FillInTheMiddle::kAdded,
              .prefix = suffix - ids.begin() - 1};
  cut.last = cut.n - (middle - suffix - 1);
  cut.text.assign(ids.begin() + 1, suffix);
  cut.text.insert(cut.text.end(), middle + 1, ids.end() - 1);
  cut.text.insert(cut.text.end(), suffix + 1, middle);
  return cut;
}

// Cuts are the smaller and the larger of two numbers, each uniform in 0 ... n. The larger is m or less with probability
// ((m + 1) / (n + 1))²; the smaller of a larger one m is any below m with twice the probability of m itself.
std::vector<Promise> FillInTheMiddle::promises() const {
  const auto of_cut = [tokens = tokens_, eos = eos_](const SeenExample& seen) {
    return cut_text(seen, tokens, eos);
  };
  const double spm = options_.spm_share;
  return {
      always("the parts are those of the text",
             [of_cut](const SeenExample& seen) {
               const auto cut = of_cut(seen);
               return !cut || cut->text == seen.sample.ids;
             }),
      promise<Mean>("texts whose middle comes last",
                    {},
                    [of_cut, rate = options_.rate](const SeenExample& seen, Mean& share) {
                      share.add_case(of_cut(seen).has_value(), rate);
                    }),
      promise<Mean>("those that begin with the suffix (SPM, or no prefix)",
                    {},
                    [of_cut, spm](const SeenExample& seen, Mean& share) {
                      if (const auto cut = of_cut(seen)) {
                        const auto n = static_cast<double>(cut->n);
                        share.add_case(cut->suffix_first, spm + (1 - spm) * (1 - std::pow(n / (n + 1), 2)));
                      }
                    }),
      promise<Evenly>("where the suffix begins",
                      {},
                      [of_cut](const SeenExample& seen, Evenly& even) {
                        if (const auto cut = of_cut(seen)) {
                          const double places =
                              static_cast<double>(cut->n + 1) * static_cast<double>(cut->n + 1);
                          const auto last = static_cast<double>(cut->last);
                          even.add(last * last / places, (2 * last + 1) / places);
                        }
                      }),
      promise<Evenly>("where the prefix ends, of those that begin with it",
                      {},
                      [of_cut](const SeenExample& seen, Evenly& even) {
                        const auto cut = of_cut(seen);
                        if (cut && !cut->suffix_first &&
                            cut->last > 0) {  // so it is 1 ... last, and 1 ... last - 1 weigh twice
                          const auto all = static_cast<double>(2 * cut->last - 1);
                          const auto before = static_cast<double>(2 * (cut->prefix - 1));
                          even.add(before / all, (cut->prefix == cut->last ? 1 : 2) / all);
                        }
                      }),
  };
}

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
