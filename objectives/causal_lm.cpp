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
// Streams already carry an end symbol after every document (data windows); add_bos and add_eos are for
// windows of documents.
#include "core/registry.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

struct CausalLmOptions {
  bool add_bos = false;          // the first token is then predicted too
  bool add_eos = false;          // the end of a document is then predicted; without it generation never stops
  bool completion_only = false;  // data with targets: their ids have a loss, the text before them has none

  static constexpr void fields(auto& self, auto& visit) {
    visit("add_bos", self.add_bos, "begin every sample with the begin symbol");
    visit("add_eos", self.add_eos, "end every sample with the end symbol (streams have it already)");
    visit("completion_only", self.completion_only, "learn the target column alone, not the text before it");
  }
};

class CausalLm final : public Objective {
 public:
  CausalLm(const CausalLmOptions& options, const ObjectiveContext& context)
      : length_(context.sequence_length), completion_only_(options.completion_only) {
    const RecordShape& record = context.record;
    check(!completion_only_ || record.texts == 0 || record.target,
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
  }

  ObjectiveForm form() const override { return {.layout = Layout::stream}; }
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
    const int64_t given = completion_only_ ? std::ssize(ids) : 1;
    append(sample.target);
    append(after_);
    if (std::ssize(ids) > length_ + 1) {
      ids.resize(static_cast<size_t>(length_ + 1));  // records with columns come uncut
    }
    return next_tokens(std::move(ids), given);
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  int64_t length_;
  bool completion_only_;
  std::vector<int64_t> before_, after_;  // special ids around every sample
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
