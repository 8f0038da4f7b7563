// A mixture of denoisers, each announced by its mode (Tay et al., "UL2", 2022, section 3.1 and table 1):
//
//            mean length   density   mode
//   r_3_15        3          0.15    [NLU]    regular: span corruption as T5's
//   r_8_15        8          0.15    [NLU]
//   x_3_50        3          0.5     [NLG]    extreme: long spans or many of them
//   x_8_50        8          0.5     [NLG]
//   x_64_15      64          0.15    [NLG]
//   x_64_50      64          0.5     [NLG]
//   s_25                     0.25    [S2S]    sequential: the rest of a text, a quarter of it on average
//
//   r, x    source  [NLU] 37 32099 10681 16 32098 1       target  32099 5295 1782 32098 8 2447 1
//   s       source  [S2S] 37 5295 1782 10681 16 1         target  8 2447 1
//
// Modes are text: the ids that the tokenizer gives it stand before the source. The length of s's target is uniform, and it
// has no sentinel, as in the published code. (Noise is counted in float32, as t5-google of span_corruption does.)
//
// One window serves all, for which denoiser reads it follows from its random stream. It is as long as the denoiser with the
// longest source (on a decoder-only model: source and target together) allows, so nothing is cut off and none overflows;
// the others read sequences that are shorter than data.sequence_length. A denoiser of weight 0 does not count.
#include <algorithm>
#include <limits>

#include "core/drawing_objective.h"
#include "core/registry.h"
#include "objectives/parts/denoiser_promises.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/text_ids.h"

namespace lmzoo {
namespace {

constexpr double kTailShare = 0.25;

struct Ul2Weights {
  double r_3_15 = 1, r_8_15 = 1;
  double x_3_50 = 1, x_8_50 = 1, x_64_15 = 1, x_64_50 = 1;
  double s_25 = 1;

  static constexpr void fields(auto& self, auto& visit) {
    visit("r_3_15", self.r_3_15, "spans of 3 tokens, 15 % of the text", at_least(0));
    visit("r_8_15", self.r_8_15, "spans of 8 tokens, 15 % of the text", at_least(0));
    visit("x_3_50", self.x_3_50, "spans of 3 tokens, half of the text", at_least(0));
    visit("x_8_50", self.x_8_50, "spans of 8 tokens, half of the text", at_least(0));
    visit("x_64_15", self.x_64_15, "spans of 64 tokens, 15 % of the text", at_least(0));
    visit("x_64_50", self.x_64_50, "spans of 64 tokens, half of the text", at_least(0));
    visit("s_25", self.s_25, "the end of the text, a quarter of it on average", at_least(0));
  }
};

struct Ul2Modes {
  std::string r = "[NLU]", x = "[NLG]", s = "[S2S]";

  static constexpr void fields(auto& self, auto& visit) {
    visit("r", self.r, "written before sources of r denoisers; empty: nothing is");
    visit("x", self.x, "before those of x denoisers");
    visit("s", self.s, "before those of s");
  }
};

struct Ul2Options {
  Ul2Weights weights{};
  Ul2Modes modes{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("weights", self.weights, "how often each denoiser is drawn, in proportion; 0: never");
    visit("modes", self.modes, "texts that tell the model which denoiser it is");
  }
};

// One denoiser of the mixture.
struct Component {
  std::string_view name;
  std::vector<int64_t> mode;
  std::optional<Denoiser> spans;  // absent: s
  double weight = 0;

  // Of a text with so many ids; the source and the target of s are at most so long.
  SpanLengths lengths(int64_t raw) const {
    SpanLengths made =
        spans ? spans->lengths(raw) : SpanLengths{.source = raw, .target = longest_tail(raw) + 1};
    made.source += std::ssize(mode);
    return made;
  }
  // Longest text that fits.
  int64_t raw(int64_t limit, bool joined) const {
    const int64_t left = limit - std::ssize(mode);
    return spans ? spans->solve(left, joined).raw : std::max<int64_t>(left - (joined ? 2 : 0), 0);
  }
  // A limit that lets 2 ids fit.
  int64_t shortest(bool joined) const {
    const SpanLengths least = lengths(2);
    return least.source + (joined ? least.target : 0);
  }
  CorruptedText corrupt(std::span<const int64_t> ids, int64_t eos, Stream& stream) const {
    CorruptedText text = spans ? spans->corrupt(ids, stream) : without_tail(ids, eos, stream);
    text.source.insert(text.source.begin(), mode.begin(), mode.end());
    return text;
  }

  // Lengths 1, 2, ... of a tail are a quarter of the text on average.
  static int64_t longest_tail(int64_t raw) {
    const int64_t most = round_half_even(2 * kTailShare * static_cast<double>(raw)) - 1;
    return std::max<int64_t>(std::min(most, raw - 1), 1);
  }

 private:
  static CorruptedText without_tail(std::span<const int64_t> ids, int64_t eos, Stream& stream) {
    const int64_t tail = 1 + static_cast<int64_t>(stream.below(longest_tail(std::ssize(ids))));
    return cut_in_two(ids, std::ssize(ids) - tail, eos);
  }
};

std::vector<Component> components_of(const Ul2Options& options, const Vocabulary& vocabulary) {
  const SentinelForm form{.sentinels = vocabulary.sentinels,
                          .eos = required_token(vocabulary.eos, "eos", "ul2")};
  std::vector<Component> all;
  const auto add = [&](std::string_view name,
                       const std::string& mode,
                       double weight,
                       std::optional<SpanNoise> noise) {
    if (weight > 0) {
      all.push_back({.name = name,
                     .mode = ids_of_text(vocabulary, mode),
                     .spans = noise ? std::optional(Denoiser{.noise = *noise, .form = form}) : std::nullopt,
                     .weight = weight});
    }
  };
  const auto spans_of_length = [](double mean_length, double density) {
    return SpanNoise{.density = density, .mean_length = mean_length, .rule = CountRule::t5_google};
  };
  const auto& [weights, modes] = options;
  add("r_3_15", modes.r, weights.r_3_15, spans_of_length(3, 0.15));
  add("r_8_15", modes.r, weights.r_8_15, spans_of_length(8, 0.15));
  add("x_3_50", modes.x, weights.x_3_50, spans_of_length(3, 0.5));
  add("x_8_50", modes.x, weights.x_8_50, spans_of_length(8, 0.5));
  add("x_64_15", modes.x, weights.x_64_15, spans_of_length(64, 0.15));
  add("x_64_50", modes.x, weights.x_64_50, spans_of_length(64, 0.5));
  add("s_25", modes.s, weights.s_25, std::nullopt);
  check(!all.empty(), "all weights of ul2 are 0; legal is at least one above");
  return all;
}

class Ul2 final : public DrawingObjective {
 public:
  Ul2(const Ul2Options& options, const ObjectiveContext& context)
      : components_(components_of(options, context.vocabulary)),
        sentinels_(std::ssize(context.vocabulary.sentinels)),
        eos_(*context.vocabulary.eos) {
    require_plain_text(context.record, "ul2");
    const bool joined = context.architecture == Architecture::decoder_only;
    int64_t shortest = 0;
    for (const Component& component : components_) {
      shortest = std::max(shortest, component.shortest(joined));
    }
    require_length(context.sequence_length,
                   shortest,
                   joined ? "ul2 of a decoder-only model with its modes" : "ul2 with its modes");
    lengths_.raw = std::numeric_limits<int64_t>::max();
    for (const Component& component : components_) {
      total_weight_ += component.weight;
      lengths_.raw = std::min(lengths_.raw, component.raw(context.sequence_length, joined));
    }
    for (const Component& component : components_) {
      count(component, context.sequence_length);
    }
  }

  ObjectiveForm form() const override { return {.layout = Layout::source_target}; }
  ObjectiveLengths lengths() const override { return lengths_; }

  Example example(const Sample& sample, const TrainingPlace&, Stream& stream) const override {
    CorruptedText text = drawn(stream).corrupt(sample.ids, eos_, stream);
    return source_target(std::move(text.source), std::move(text.target));
  }

  std::vector<Promise> promises() const override;

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  void count(const Component& component, int64_t sequence_length) {
    const SpanLengths lengths = component.lengths(lengths_.raw);
    check(
        lengths.sentinels <= sentinels_,
        "ul2 needs {} sentinels for the {} tokens of a window (data.sequence_length {}, denoiser {}) but the "
        "tokenizer has {}; set weights.{}: 0 or a smaller data.sequence_length",
        lengths.sentinels,
        lengths_.raw,
        sequence_length,
        component.name,
        sentinels_,
        component.name);
    lengths_.source = std::max(lengths_.source, lengths.source);
    lengths_.target = std::max(lengths_.target, lengths.target);
  }

  const Component& drawn(Stream& stream) const {
    double left = stream.uniform() * total_weight_;
    for (const Component& component : components_) {
      left -= component.weight;
      if (left < 0) {
        return component;
      }
    }
    return components_.back();  // what rounding leaves
  }

  std::vector<Component> components_;  // those with a weight
  int64_t sentinels_, eos_;
  double total_weight_ = 0;
  ObjectiveLengths lengths_;
};

// Whether an example looks as if this denoiser had made it. Of two with the same mode and the same counts for a text
// either may have, and then they draw the same, too.
bool may_have_made(const Component& component, const SeenExample& seen) {
  const auto& source = seen.example.sequences.at(0).ids;
  const auto& target = seen.example.sequences.at(1).ids;
  const auto n = std::ssize(seen.sample.ids);
  const auto mode = std::ssize(component.mode);
  if (std::ssize(source) < mode ||
      !std::equal(component.mode.begin(), component.mode.end(), source.begin())) {
    return false;
  }
  if (component.spans) {
    const SpanLengths lengths = component.lengths(n);
    const bool has_sentinel = target.front() == component.spans->form.sentinels.front();
    return has_sentinel && std::ssize(source) == lengths.source && std::ssize(target) == lengths.target;
  }
  const auto read = std::ssize(source) - mode - 1;
  const CorruptedText cut =
      read >= 0 && read <= n ? cut_in_two(seen.sample.ids, read, source.back()) : CorruptedText();
  return std::ranges::equal(cut.source, std::span(source).subspan(static_cast<size_t>(mode))) &&
         cut.target == target;
}

using Components = std::shared_ptr<const std::vector<Component>>;

const Component* maker_of(const Components& components, const SeenExample& seen) {
  const auto found = std::ranges::find_if(
      *components, [&](const Component& component) { return may_have_made(component, seen); });
  return found == components->end() ? nullptr : &*found;
}

// The share of a denoiser counts what may be its work, and so expects what another one's looks like it as well.
Promise share_promise(const Components& components, size_t index, double total_weight) {
  const auto looks_alike = [](const Component& a, const Component& b, int64_t n) {
    const SpanLengths first = a.lengths(n);
    const SpanLengths second = b.lengths(n);
    return a.mode == b.mode && a.spans.has_value() == b.spans.has_value() && first.source == second.source &&
           first.target == second.target;
  };
  return promise<Mean>(
      fmt::format("texts of {}", (*components)[index].name), {}, [=](const SeenExample& seen, Mean& share) {
        const Component& own = (*components)[index];
        double weight = 0;
        for (const Component& other : *components) {
          weight += looks_alike(own, other, std::ssize(seen.sample.ids)) ? other.weight : 0;
        }
        share.add_case(may_have_made(own, seen), weight / total_weight);
      });
}

std::vector<Promise> Ul2::promises() const {
  const auto components = std::make_shared<const std::vector<Component>>(components_);
  std::vector<Promise> all{always("each is of one of the denoisers", [components](const SeenExample& seen) {
    return maker_of(components, seen) != nullptr;
  })};
  for (size_t i = 0; i < components_.size(); ++i) {
    all.push_back(share_promise(components, i, total_weight_));
  }
  const auto spans =
      std::ranges::find_if(components_, [](const Component& one) { return one.spans.has_value(); });
  if (spans != components_.end()) {
    std::vector<Promise> more =
        noise_promises(*spans->spans, [components](const SeenExample& seen) -> std::optional<DenoisedView> {
          const Component* const maker = maker_of(components, seen);
          if (maker == nullptr || !maker->spans) {
            return std::nullopt;
          }
          return DenoisedView{
              .denoiser = &*maker->spans,
              .ids = seen.sample.ids,
              .source = std::span(seen.example.sequences.at(0).ids).subspan(maker->mode.size()),
              .target = seen.example.sequences.at(1).ids,
              .stream = &seen.stream};
        });
    std::ranges::move(more, std::back_inserter(all));
  }
  if (!components_.back().spans) {
    all.push_back(promise<Evenly>(
        "lengths of the rest of a text", {}, [components](const SeenExample& seen, Evenly& even) {
          const Component* const maker = maker_of(components, seen);
          if (maker != nullptr && !maker->spans) {
            even.add_of(std::ssize(seen.example.sequences.at(1).ids) - 2,
                        Component::longest_tail(std::ssize(seen.sample.ids)));
          }
        }));
  }
  return all;
}

}  // namespace

void register_ul2(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "ul2",
      .summary = "a mixture of denoisers: short and long spans, and the rest of a text",
      .defaults = AnyOptions(Ul2Options{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<Ul2>(options.as<Ul2Options>(), context);
      }});
}

}  // namespace lmzoo
