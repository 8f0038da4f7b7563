// Next-token prediction: every id predicts the one after it (Radford et al., GPT, 2018). With GPT-2's ids and
// add_eos:
//
//   text    15496 995            Hello world
//   ids     15496 995 50256      reads 15496 995, predicts 995 50256
//
// A window holds one id more than data.sequence_length positions: its last id is only predicted, never read,
// and its first is only read.
// Data with a column `target` has prompts and completions; completion_only then learns the completion alone:
//
//   text 15496, target 995     ids 15496 995 50256     predicts 995 50256 (without it the same: 15496 is
//   first)
//
// With `ahead` each position predicts further tokens, too, by heads that serve training alone
// (objectives/parts/tokens_ahead.h).
//
// Label smoothing and z-loss are of training; evaluation measures the plain likelihood, so that losses of runs compare.
//
// Streams already carry an end symbol after every document (data windows); add_bos and add_eos are for
// windows of documents.
#include "core/registry.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/tokens_ahead.h"

namespace lmzoo {
namespace {

// How much of the target label smoothing moves, e, and to where; V classes.
enum class SmoothingRule {
  pytorch,  // e/V to every class, the label too
  fairseq,  // e/(V-1) to every class but the label
};

struct CausalLmOptions {
  bool add_bos = false;          // the first token is then predicted too
  bool add_eos = false;          // the end of a document is then predicted; without it generation never stops
  bool completion_only = false;  // data with targets: their ids have a loss, the text before them has none
  double label_smoothing = 0;
  SmoothingRule smoothing_rule = SmoothingRule::pytorch;
  double z_loss = 0;  // PaLM: 1e-4
  std::optional<AheadOptions> ahead{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("add_bos", self.add_bos, "begin every sample with the begin symbol");
    visit("add_eos", self.add_eos, "end every sample with the end symbol (streams have it already)");
    visit("completion_only", self.completion_only, "learn the target column alone, not the text before it");
    visit("label_smoothing",
          self.label_smoothing,
          "share of the target that goes to all tokens",
          half_open(0, 1));
    visit("smoothing_rule",
          self.smoothing_rule,
          "pytorch: the share goes to every token evenly, the right one too; fairseq: to every other one");
    visit("z_loss",
          self.z_loss,
          "times log²Z of the softmax is added to the loss; keeps logits small",
          at_least(0));
    visit("ahead", self.ahead, "further tokens that each position predicts; absent: the next one alone");
  }
};

}  // namespace

template <>
struct EnumNames<SmoothingRule> {
  static constexpr std::pair<SmoothingRule, std::string_view> values[] = {
      {SmoothingRule::pytorch, "pytorch"}, {SmoothingRule::fairseq, "fairseq"}};
};

namespace {

class CausalLm final : public Objective {
 public:
  CausalLm(const CausalLmOptions& options, const ObjectiveContext& context)
      : options_(options), length_(context.sequence_length) {
    const RecordShape& record = context.record;
    check(!options.completion_only || record.texts == 0 || record.target,
          "completion_only is set, but the data has no completions: set data.train.target");
    if (record.target) {
      check(record.choices == 0 && !record.labels && !record.tags && !record.value && !record.answer,
            "causal_lm reads texts and a target, but data.train names other columns, too");
    } else {
      require_plain_text(record, "causal_lm");
    }
    if (options.add_bos) {
      before_.push_back(required_token(context.vocabulary.bos, "bos", "causal_lm with add_bos"));
    }
    if (options.add_eos) {
      after_.push_back(required_token(context.vocabulary.eos, "eos", "causal_lm with add_eos"));
    }
    require_length(length_, 2, "causal_lm");
    if (options.ahead) {
      ahead_ =
          register_module("ahead", std::make_shared<TokensAhead>(*options.ahead, context.width, length_));
    }
  }

  ObjectiveForm form() const override { return {.layout = Layout::stream}; }
  std::vector<Slot> slots() const override {
    std::vector<Slot> all = Objective::slots();
    if (ahead_ != nullptr) {
      ahead_->append_slots(all);
    }
    return all;
  }
  bool only_trains() const override { return ahead_ != nullptr; }
  ObjectiveLengths lengths() const override {
    const int64_t added = std::ssize(before_) + std::ssize(after_);
    return {.raw = length_ + 1 - added, .source = length_, .target = 0, .added = added - 1};
  }

  std::optional<int64_t> begins_with() const override {
    return before_.empty() ? std::nullopt : std::optional(before_.front());
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream&) const override {
    std::vector<int64_t> ids = before_;
    const auto append = [&](const std::vector<int64_t>& more) {
      ids.insert(ids.end(), more.begin(), more.end());
    };
    append(sample.ids);
    for (const std::vector<int64_t>& text : sample.further_texts) {
      append(text);
    }
    const int64_t given = options_.completion_only ? std::ssize(ids) : 1;
    append(sample.target);
    append(after_);
    if (std::ssize(ids) > length_ + 1) {
      ids.resize(static_cast<size_t>(length_ + 1));  // records with columns come uncut
    }
    Example made = next_tokens(std::move(ids), given);
    if (ahead_ != nullptr) {
      ahead_->add_targets(made);
    }
    return made;
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    const EntropyTerms added = is_training() ? terms(model.vocab_rows()) : EntropyTerms{};
    if (ahead_ == nullptr) {
      return {language_model_loss(model, batch, 0, added)};
    }
    const Tensor states = model.hidden(batch.inputs);  // [N, D]
    Losses losses{language_model_loss(model, states, batch, 0, added)};
    ahead_->add_losses(model, states, batch, added, losses);
    return losses;
  }

 private:
  EntropyTerms terms(int64_t classes) const {
    const double e = options_.label_smoothing;
    const bool fairseq = options_.smoothing_rule == SmoothingRule::fairseq;
    return {fairseq ? smoothing_of_fairseq(e, classes) : e, options_.z_loss};
  }

  CausalLmOptions options_;
  int64_t length_;
  std::vector<int64_t> before_, after_;  // special ids around every sample
  std::shared_ptr<TokensAhead> ahead_;   // null: the next token alone
};

}  // namespace

void register_causal_lm(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "causal_lm",
      .summary = "predict the next token",
      .defaults = AnyOptions(CausalLmOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<CausalLm>(options.as<CausalLmOptions>(), context);
      }});
}

}  // namespace lmzoo
