// Masked diffusion (Nie et al. 2025, "Large language diffusion models", LLaDA, arXiv 2502.09992): a text is masked by a
// share t that is drawn anew for every sample, from next to nothing to all of it, and the model predicts what is hidden.
// Algorithm 1 and equation 3, for a text x of L tokens and x_t with each of them masked with probability t:
//
//   loss = -E_t [ 1 / (t·L) · Σ_i 1[x_t,i = MASK] · log p(x_i | x_t) ]
//
// whose mean over t is an upper bound of the text's negative log-likelihood for a token (equation 4). As targets:
//
//   t = 0.25    ids  [CLS] the [MASK] brown fox [SEP]    at 2, label quick, weight 1/t = 4
//
// The weights of a text add to L in the mean; like all losses this one is divided by what they add to in the batch.
// t is at least `least_rate`, so that no label weighs more than its inverse. [CLS] and [SEP] are never hidden.
//
// A model that was trained so writes: `lmzoo generate` fills masks behind a text, the surest first
// (infer/decode/denoise.h).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/drawing_objective.h"
#include "core/registry.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/masked_view.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

struct MaskedDiffusionOptions {
  double least_rate = 1e-3;  // LLaDA's code

  static constexpr void fields(auto& self, auto& visit) {
    visit("least_rate",
          self.least_rate,
          "least share of the tokens that is hidden; a label weighs at most its inverse",
          inside(0, 1));
  }
};

class MaskedDiffusion final : public DrawingObjective {
 public:
  MaskedDiffusion(const MaskedDiffusionOptions& options, const ObjectiveContext& context)
      : least_rate_(options.least_rate),
        length_(context.sequence_length),
        cls_(required_token(context.vocabulary.cls, "[CLS]", "masked_diffusion")),
        sep_(required_token(context.vocabulary.sep, "[SEP]", "masked_diffusion")),
        mask_(required_token(context.vocabulary.mask, "[MASK]", "masked_diffusion")) {
    require_plain_text(context.record, "masked_diffusion");
    require_length(length_, 3, "masked_diffusion");
    check(context.architecture != Architecture::encoder_decoder,
          "masked_diffusion predicts at the masks themselves, but an encoder-decoder writes the whole text; "
          "it needs an encoder-only model");
  }

  ObjectiveForm form() const override { return {.layout = Layout::in_place, .needs_both_sides = true}; }
  ObjectiveLengths lengths() const override {
    return {.raw = length_ - 2, .source = length_, .target = 0, .added = 2};
  }
  bool fills_any_share() const override { return true; }

  Example example(const Sample& sample, const TrainingPlace&, Stream& stream) const override {
    const double rate = least_rate_ + (1 - least_rate_) * (1 - stream.uniform());  // t in (least, 1]
    std::vector<int64_t> text(sample.ids.size());
    std::iota(text.begin(), text.end(), 1);
    std::vector<int64_t> hidden = choose_each(text, rate, stream);
    const std::vector<int64_t> masks(hidden.size(), mask_);
    MaskedText masked = replace_tokens(framed_text(cls_, sample.ids, sep_), std::move(hidden), masks);
    Example made = in_place(std::move(masked.ids), std::move(masked.positions), std::move(masked.labels));
    made.targets.front().weights.assign(masks.size(), static_cast<float>(1 / rate));
    return made;
  }

  std::vector<Promise> promises() const override;

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  double least_rate_;
  int64_t length_;
  int64_t cls_, sep_, mask_;
};

// P(k of n) of independent cases of this probability.
double binomial(int64_t k, int64_t n, double probability) {
  const auto hits = static_cast<double>(k);
  const auto cases = static_cast<double>(n);
  return std::exp(std::lgamma(cases + 1) - std::lgamma(hits + 1) - std::lgamma(cases - hits + 1) +
                  hits * std::log(probability) + (cases - hits) * std::log1p(-probability));
}

// With t uniform in (0, 1] every number of n hidden tokens is equally likely. With t in (e, 1] number k has
//   1 / (1 - e) · ∫_e^1 C(n, k) t^k (1 - t)^(n-k) dt = P(at most k of n + 1 with probability e) / ((1 - e) · (n + 1))
void add_hidden(Evenly& even, int64_t hidden, int64_t n, double least_rate) {
  double at_most = 0;
  double below = 0;
  for (int64_t k = 0; k <= hidden; ++k) {
    at_most = std::min(at_most + binomial(k, n + 1, least_rate), 1.0);
    const double probability = at_most / ((1 - least_rate) * static_cast<double>(n + 1));
    if (k == hidden) {
      even.add(below, probability);
    }
    below += probability;
  }
}

// Of n tokens with probability t each, where it is known that there is one at least.
void add_known(Mean& share, int64_t hidden, int64_t n, double rate) {
  const double some = -std::expm1(static_cast<double>(n) * std::log1p(-std::min(rate, 1 - 1e-12)));
  const double mean = static_cast<double>(n) * rate / some;
  const double square = mean * (1 - rate + static_cast<double>(n) * rate);
  share.add(static_cast<double>(hidden), mean, square - mean * mean, n);
}

std::vector<Promise> MaskedDiffusion::promises() const {
  using View = const MaskedView&;
  const MaskedViewOf view = [cls = cls_, sep = sep_](const SeenExample& seen) {
    return view_of_masked(framed_text(cls, seen.sample.ids, sep), seen.example);
  };
  const MaskedViewOf unweighted = [view](const SeenExample& seen) {
    std::optional<MaskedView> text = view(seen);
    text->weights.clear();  // they are no numbers of draws
    return text;
  };
  std::vector<Promise> all =
      replacement_promises({.mask = mask_, .mask_share = 1, .random_share = 0}, Fate::of_each, unweighted);
  all.push_back(promise_of_view<Always>("a label weighs 1/t, and t is a legal share",
                                        {},
                                        view,
                                        [least = least_rate_](const SeenExample&, View text, Always& cases) {
                                          constexpr double kRounding = 1e-6;
                                          cases.add(std::ranges::all_of(text.weights, [&](float weight) {
                                            return weight == text.weights.front() && weight >= 1 &&
                                                   weight * least <= 1 + kRounding;
                                          }));
                                        }));
  all.push_back(promise_of_view<Evenly>(
      "hidden tokens of a text, from none to all",
      {},
      view,
      [least = least_rate_](const SeenExample& seen, View text, Evenly& even) {
        add_hidden(even, std::ssize(text.positions), std::ssize(seen.sample.ids), least);
      }));
  all.push_back(promise_of_view<Mean>(
      "hidden tokens, by what their weights say",
      {},
      view,
      [](const SeenExample& seen, View text, Mean& share) {
        if (!text.weights.empty()) {
          add_known(share, std::ssize(text.positions), std::ssize(seen.sample.ids), 1 / text.weights.front());
        }
      }));
  all.push_back(promise_of_view<Evenly>("hidden tokens among the places of a text",
                                        {},
                                        view,
                                        [](const SeenExample& seen, View text, Evenly& even) {
                                          for (const int64_t position : text.positions) {
                                            even.add_of(position - 1,
                                                        std::ssize(seen.sample.ids));  // behind [CLS]
                                          }
                                        }));
  return all;
}

}  // namespace

void register_masked_diffusion(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "masked_diffusion",
      .summary = "predict hidden tokens of any share of the text; such a model can write",
      .defaults = AnyOptions(MaskedDiffusionOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<MaskedDiffusion>(options.as<MaskedDiffusionOptions>(), context);
      }});
}

}  // namespace lmzoo
