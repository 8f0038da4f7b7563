// Prefix language modeling: a text is cut in two, its beginning is read from both sides and the rest is written
// (Raffel et al., "T5", 2019, section 3.2.3; seqio's prefix LM). With T5's ids and eos = 1:
//
//   text    37 5295 1782 10681 16        The cute dog walks in
//   source  37 5295 1                    cut behind 2 ids
//   target  1782 10681 16 1
//
// The cut is uniform: 1 to n - 1 of n ids are the source. (A text of one id is all target.) On a decoder-only model
// both are one sequence and the source is visible as a whole; the source has no loss, for it would predict what it sees.
#include "core/drawing_objective.h"
#include "core/registry.h"
#include "objectives/parts/denoiser.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

struct PrefixLmOptions {
  static constexpr void fields(auto&, auto&) {}
};

class PrefixLm final : public DrawingObjective {
 public:
  explicit PrefixLm(const ObjectiveContext& context)
      : eos_(required_token(context.vocabulary.eos, "eos", "prefix_lm")),
        longest_(context.sequence_length - (context.architecture == Architecture::decoder_only ? 2 : 0)) {
    require_plain_text(context.record, "prefix_lm");
    const bool joined = context.architecture == Architecture::decoder_only;
    require_length(
        context.sequence_length, joined ? 4 : 2, joined ? "prefix_lm of a decoder-only model" : "prefix_lm");
  }

  ObjectiveForm form() const override { return {.layout = Layout::source_target}; }
  // Either part may be all but one id of the text, and has eos.
  ObjectiveLengths lengths() const override {
    return {.raw = longest_, .source = longest_, .target = longest_};
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream& stream) const override {
    const int64_t length = std::ssize(sample.ids);
    const int64_t read = length < 2 ? 0 : 1 + static_cast<int64_t>(stream.below(length - 1));
    CorruptedText text = cut_in_two(sample.ids, read, eos_);
    return source_target(std::move(text.source), std::move(text.target));
  }

  std::vector<Promise> promises() const override {
    return {always("source and target are the two parts of the text",
                   [eos = eos_](const SeenExample& seen) {
                     std::vector<int64_t> both = seen.example.sequences.at(0).ids;
                     const auto& rest = seen.example.sequences.at(1).ids;
                     const bool ends = both.back() == eos && rest.back() == eos;
                     both.pop_back();
                     both.insert(both.end(), rest.begin(), rest.end() - 1);
                     return ends && both == seen.sample.ids;
                   }),
            promise<Evenly>("lengths of the prefix", {}, [](const SeenExample& seen, Evenly& even) {
              const auto read = std::ssize(seen.example.sequences.at(0).ids) - 1;
              even.add_of(read - 1, std::ssize(seen.sample.ids) - 1);
            })};
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  int64_t eos_;
  int64_t longest_;  // ids of a text; on a decoder-only model each part adds its eos
};

}  // namespace

void register_prefix_lm(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "prefix_lm",
      .summary = "write the rest of a text whose beginning is read from both sides",
      .defaults = AnyOptions(PrefixLmOptions{}),
      .make = [](const AnyOptions&, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<PrefixLm>(context);
      }});
}

}  // namespace lmzoo
