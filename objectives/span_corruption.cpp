// Span corruption: runs of text are cut out, each leaves a sentinel, and the target lists what was cut
// (Raffel et al., "T5", 2019). With T5's ids, eos = 1, sentinels 32099, 32098 ... and spans of 2 and 1 ids:
//
//   text    37 5295 1782 10681 16 8 2447             The cute dog walks in the park
//   source  37 32099 10681 16 32098 2447 1           The <0> walks in <1> park
//   target  32099 5295 1782 32098 8 32097 1          <0> cute dog <1> the <2>
//
// The masks that are drawn begin with kept text and end in noise, as T5's do (a text of one id has no noise:
// source `id eos`, target `<0> eos`). Dialects differ in how much noise is counted, and in what follows the last of k
// spans in the target:
//   t5-google         counts in float32; nothing follows: `... <k-1> noise eos`, as noise_span_to_unique_sentinel of
//                     Google's code gives
//   t5-hf             counts in float64, and spans of the smaller of noise and kept text; else the same: Hugging Face's
//                     run_t5_mlm_flax.py
//   closing-sentinel  counts in float64; one more sentinel: `... <k-1> noise <k> eos`, the form of the T5 paper's figure
//                     and of lecture notes
//
// The other ways to corrupt a text that the paper compares are in objectives/parts/denoiser.h, with an example of each.
//
// Lengths are solved, not cut: a window holds the longest text whose source is data.sequence_length long (for
// a decoder-only model: source and target together), so 512 reads 568 ids and predicts a target of 114.
#include <algorithm>

#include "core/drawing_objective.h"
#include "core/registry.h"
#include "objectives/parts/denoiser_promises.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

enum class SpanDialect { t5_google, t5_hf, closing_sentinel };

struct SpanCorruptionOptions {
  SpanDialect dialect = SpanDialect::t5_google;
  Corruption corruption = Corruption::replace_spans;
  std::optional<NoisePlaces> places{};
  double density = 0.15;   // share of the ids that is cut out
  double mean_length = 3;  // ids; longer spans are harder and need fewer sentinels
  bool loss_on_sentinels = true;

  static constexpr void fields(auto& self, auto& visit) {
    visit("dialect",
          self.dialect,
          "how noise is counted, and whether the target ends in a sentinel of its own (closing-sentinel)");
    visit(
        "corruption",
        self.corruption,
        "what becomes of the noise, and what is written: replace_spans and drop_tokens write it, mass, bert "
        "and deshuffling the whole text");
    visit("places",
          self.places,
          "whether noise stands in spans or at single tokens; absent: in spans for replace_spans only");
    // Beyond 0.95 next to nothing is left to predict from.
    visit("density",
          self.density,
          "share of the tokens that is cut out",
          Range{.low = 0, .high = 0.95, .low_open = true});
    visit("mean_length", self.mean_length, "mean length of a cut span in tokens", at_least(1));
    visit("loss_on_sentinels", self.loss_on_sentinels, "whether sentinels of the target are predicted too");
  }

  NoisePlaces where() const {
    return places.value_or(corruption == Corruption::replace_spans ? NoisePlaces::spans
                                                                   : NoisePlaces::tokens);
  }
};

}  // namespace

template <>
struct EnumNames<SpanDialect> {
  static constexpr std::pair<SpanDialect, std::string_view> values[] = {
      {SpanDialect::t5_google, "t5-google"},
      {SpanDialect::t5_hf, "t5-hf"},
      {SpanDialect::closing_sentinel, "closing-sentinel"}};
};

namespace {

CountRule rule_of(SpanDialect dialect) {
  return dialect == SpanDialect::t5_google ? CountRule::t5_google
         : dialect == SpanDialect::t5_hf   ? CountRule::t5_hf
                                           : CountRule::float64;
}

// Sentinels of the target belong to replace_spans alone: what is said of them would change nothing.
void check_sentinel_options(const SpanCorruptionOptions& options) {
  if (options.corruption == Corruption::replace_spans) {
    return;
  }
  const std::string_view corruption = name_of(options.corruption);
  check(options.dialect != SpanDialect::closing_sentinel,
        "dialect closing-sentinel belongs to corruption replace_spans; the target of {} has no sentinels",
        corruption);
  check(options.loss_on_sentinels,
        "loss_on_sentinels: false belongs to corruption replace_spans; the target of {} has no sentinels",
        corruption);
}

class SpanCorruption final : public DrawingObjective {
 public:
  SpanCorruption(const SpanCorruptionOptions& options, const ObjectiveContext& context)
      : denoiser_{.corruption = options.corruption,
                  .places = options.where(),
                  .noise = {.density = options.density,
                            .mean_length = options.mean_length,
                            .rule = rule_of(options.dialect)},
                  .form = {.sentinels = context.vocabulary.sentinels,
                           .eos = required_token(context.vocabulary.eos, "eos", "span_corruption"),
                           .closing = options.dialect == SpanDialect::closing_sentinel,
                           .label_sentinels = options.loss_on_sentinels},
                  .vocabulary_size = context.vocabulary.size},
        joined_(context.architecture == Architecture::decoder_only) {
    check_sentinel_options(options);
    require_plain_text(context.record, "span_corruption");
    const SpanLengths shortest = denoiser_.lengths(2);
    require_length(context.sequence_length,
                   joined_ ? shortest.source + shortest.target : shortest.source,
                   joined_ ? "span_corruption of a decoder-only model" : "span_corruption");
    lengths_ = denoiser_.solve(context.sequence_length, joined_);
    if (lengths_.sentinels > std::ssize(denoiser_.form.sentinels)) {
      refuse(context.sequence_length);
    }
  }

  ObjectiveForm form() const override { return {.layout = Layout::source_target}; }
  ObjectiveLengths lengths() const override {
    return {.raw = lengths_.raw, .source = lengths_.source, .target = lengths_.target};
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream& stream) const override {
    CorruptedText text = denoiser_.corrupt(sample.ids, stream);
    return source_target(std::move(text.source), std::move(text.target), text.unlabeled);
  }

  std::vector<Promise> promises() const override {
    const auto view = [this](const SeenExample& seen) {
      return std::optional(DenoisedView{.denoiser = &denoiser_,
                                        .ids = seen.sample.ids,
                                        .source = seen.example.sequences.at(0).ids,
                                        .target = seen.example.sequences.at(1).ids,
                                        .stream = &seen.stream});
    };
    std::vector<Promise> all = noise_promises(denoiser_, view);
    std::ranges::move(count_promises(denoiser_, view), std::back_inserter(all));
    return all;
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  // Ids beyond the last sentinel would be words: the model would learn nonsense without a sign of it.
  [[noreturn]] void refuse(int64_t sequence_length) const {
    const int64_t available = std::ssize(denoiser_.form.sentinels);
    int64_t longest = sequence_length;
    while (denoiser_.solve(longest, joined_).sentinels > available) {
      --longest;
    }
    const std::string_view other =
        denoiser_.places == NoisePlaces::spans ? "a larger mean_length" : "places: spans";
    const std::string remedy =
        denoiser_.solve(longest, joined_).raw == 0
            ? ""
            : fmt::format("; legal are a data.sequence_length of at most {}, {} or a smaller density",
                          longest,
                          other);
    throw InputError(
        fmt::format("span_corruption needs {} sentinels for the {} tokens of a window (data.sequence_length "
                    "{}) but the tokenizer has {}{}",
                    lengths_.sentinels,
                    lengths_.raw,
                    sequence_length,
                    available,
                    remedy));
  }

  Denoiser denoiser_;
  bool joined_;  // source and target share one sequence
  SpanLengths lengths_;
};

}  // namespace

void register_span_corruption(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "span_corruption",
      .summary = "write the spans that were cut out of a text, or the text that was corrupted",
      .defaults = AnyOptions(SpanCorruptionOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<SpanCorruption>(options.as<SpanCorruptionOptions>(), context);
      }});
}

}  // namespace lmzoo
