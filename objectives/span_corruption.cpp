// Span corruption: runs of text are cut out, each leaves a sentinel, and the target lists what was cut
// (Raffel et al., "T5", 2019). With T5's ids, eos = 1, sentinels 32099, 32098 ... and spans of 2 and 1 ids:
//
//   text    37 5295 1782 10681 16 8 2447             The cute dog walks in the park
//   source  37 32099 10681 16 32098 2447 1           The <0> walks in <1> park
//   target  32099 5295 1782 32098 8 32097 1          <0> cute dog <1> the <2>
//
// The masks that are drawn begin with kept text and end in noise, as T5's do (a text of one id has no noise:
// source `id eos`, target `<0> eos`). Dialects differ in what then follows the last of k spans in the target:
//   t5-google         nothing: `... <k-1> noise eos`, as noise_span_to_unique_sentinel of Google's code gives
//   closing-sentinel  one more sentinel: `... <k-1> noise <k> eos`, the form of the T5 paper's figure and of
//                     lecture notes
//
// Lengths are solved, not cut: a window holds the longest text whose source is data.sequence_length long (for
// a decoder-only model: source and target together), so 512 reads 568 ids and predicts a target of 114.
#include "core/registry.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/noise.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

enum class SpanDialect { t5_google, closing_sentinel };

struct SpanCorruptionOptions {
  SpanDialect dialect = SpanDialect::t5_google;
  double density = 0.15;   // share of the ids that is cut out
  double mean_length = 3;  // ids; longer spans are harder and need fewer sentinels
  bool loss_on_sentinels = true;

  static constexpr void fields(auto& self, auto& visit) {
    visit("dialect", self.dialect, "whether the target ends in a sentinel of its own");
    // Beyond 0.95 next to nothing is left to predict from.
    visit("density",
          self.density,
          "share of the tokens that is cut out",
          Range{.low = 0, .high = 0.95, .low_open = true});
    visit("mean_length", self.mean_length, "mean length of a cut span in tokens", at_least(1));
    visit("loss_on_sentinels", self.loss_on_sentinels, "whether sentinels of the target are predicted too");
  }
};

}  // namespace

template <>
struct EnumNames<SpanDialect> {
  static constexpr std::pair<SpanDialect, std::string_view> values[] = {
      {SpanDialect::t5_google, "t5-google"}, {SpanDialect::closing_sentinel, "closing-sentinel"}};
};

namespace {

class SpanCorruption final : public Objective {
 public:
  SpanCorruption(const SpanCorruptionOptions& options, const ObjectiveContext& context)
      : noise_{.density = options.density, .mean_length = options.mean_length},
        form_{.sentinels = context.vocabulary.sentinels,
              .eos = required_token(context.vocabulary.eos, "eos", "span_corruption"),
              .closing = options.dialect == SpanDialect::closing_sentinel,
              .label_sentinels = options.loss_on_sentinels},
        joined_(context.architecture == Architecture::decoder_only) {
    require_plain_text(context.record, "span_corruption");
    const SpanLengths shortest = span_lengths(2, noise_, form_);
    require_length(context.sequence_length,
                   joined_ ? shortest.source + shortest.target : shortest.source,
                   joined_ ? "span_corruption of a decoder-only model" : "span_corruption");
    lengths_ = solve(context.sequence_length);
    if (lengths_.sentinels > std::ssize(form_.sentinels)) {
      refuse(context.sequence_length);
    }
  }

  ObjectiveForm form() const override { return {.layout = Layout::source_target}; }
  ObjectiveLengths lengths() const override {
    return {.raw = lengths_.raw, .source = lengths_.source, .target = lengths_.target};
  }

  Example example(const Sample& sample, const TrainingPlace&, Stream& stream) const override {
    CorruptedText text = replace_spans(sample.ids, span_mask(std::ssize(sample.ids), noise_, stream), form_);
    return source_target(std::move(text.source), std::move(text.target), text.unlabeled);
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  SpanLengths solve(int64_t sequence_length) const {
    return solve_span_lengths(sequence_length, joined_, noise_, form_);
  }

  // Ids beyond the last sentinel would be words: the model would learn nonsense without a sign of it.
  [[noreturn]] void refuse(int64_t sequence_length) const {
    const int64_t available = std::ssize(form_.sentinels);
    int64_t longest = sequence_length;
    while (solve(longest).sentinels > available) {
      --longest;
    }
    const std::string remedy = solve(longest).raw == 0 ? ""
                                                       : fmt::format(
                                                             "; legal are a data.sequence_length of at most "
                                                             "{}, a larger mean_length or a smaller density",
                                                             longest);
    throw InputError(
        fmt::format("span_corruption needs {} sentinels for the {} tokens of a window (data.sequence_length "
                    "{}) but the tokenizer has {}{}",
                    lengths_.sentinels,
                    lengths_.raw,
                    sequence_length,
                    available,
                    remedy));
  }

  SpanNoise noise_;
  SentinelForm form_;
  bool joined_;  // source and target share one sequence
  SpanLengths lengths_;
};

}  // namespace

void register_span_corruption(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "span_corruption",
      .summary = "write the spans that were cut out of a text",
      .defaults = AnyOptions(SpanCorruptionOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<SpanCorruption>(options.as<SpanCorruptionOptions>(), context);
      }});
}

}  // namespace lmzoo
