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
#include <numeric>

#include "core/registry.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/noise.h"
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

class MaskedDiffusion final : public Objective {
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
    std::vector<int64_t> ids{cls_};
    ids.insert(ids.end(), sample.ids.begin(), sample.ids.end());
    std::vector<int64_t> text(sample.ids.size());
    std::iota(text.begin(), text.end(), 1);
    ids.push_back(sep_);
    std::vector<int64_t> hidden = choose_each(text, rate, stream);
    const std::vector<int64_t> masks(hidden.size(), mask_);
    MaskedText masked = replace_tokens(std::move(ids), std::move(hidden), masks);
    Example made = in_place(std::move(masked.ids), std::move(masked.positions), std::move(masked.labels));
    made.targets.front().weights.assign(masks.size(), static_cast<float>(1 / rate));
    return made;
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    return {language_model_loss(model, batch)};
  }

 private:
  double least_rate_;
  int64_t length_;
  int64_t cls_, sep_, mask_;
};

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
