// Fine-tuning: which weights of a pre-trained model learn, how fast, and since when. The section `fine_tune`
// of a YAML; everything in it goes with every objective.
//
//   lora          frozen weights, trained low-rank additions (nn/low_rank.h)
//   layer_decay   rates fall from the head down: level l learns at rate · decay^l
//   unfreeze      the head learns first, then one level more at a time (Howard & Ruder 2018, "Universal
//                 language model fine-tuning", section 3.3)
//   probe         only the objective's head learns, on states of the body in evaluation mode
//
// Freezing by name is warm_start.freeze, and holds beside all of these.
//
// Levels count from the top. 0: the heads, whatever stands after the last block; 1: the last block; L: the
// first of L blocks; L + 1: embeddings, tied ones too. That is BEiT's convention (Bao et al. 2021,
// `get_num_layer_for_vit`); ELECTRA's code gives every level but 0 one power of the decay more. Encoder and
// decoder count each from its own top.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "core/model.h"
#include "core/objective.h"
#include "core/parameters.h"
#include "train/tune/lora_options.h"

namespace lmzoo {

enum class UnfreezeUnit { steps, epochs };
template <>
struct EnumNames<UnfreezeUnit> {
  static constexpr std::pair<UnfreezeUnit, std::string_view> values[] = {{UnfreezeUnit::steps, "steps"},
                                                                         {UnfreezeUnit::epochs, "epochs"}};
};

struct UnfreezeOptions {
  int64_t every = 1;
  UnfreezeUnit unit = UnfreezeUnit::epochs;

  static constexpr void fields(auto& self, auto& visit) {
    visit("every", self.every, "steps or epochs after which one level more is trained", between(1, 1e9));
    visit("unit", self.unit, "of `every`: steps, or epochs of the training windows");
  }
  bool operator==(const UnfreezeOptions&) const = default;
};

struct FineTuneOptions {
  std::optional<LoraOptions> lora{};
  double layer_decay = 1;
  std::optional<UnfreezeOptions> unfreeze{};
  bool probe = false;

  static constexpr void fields(auto& self, auto& visit) {
    visit("lora", self.lora, "train low-rank additions to frozen weights; absent: the weights themselves");
    visit("layer_decay",
          self.layer_decay,
          "each level below the head learns at so much of the rate of the one above; 1: all at the same",
          Range{.low = 0, .high = 1, .low_open = true});
    visit("unfreeze",
          self.unfreeze,
          "train the head first, then one level more at a time; absent: all from the first step");
    visit("probe", self.probe, "train only the objective's head, on the frozen model's states");
  }
  bool operator==(const FineTuneOptions&) const = default;
};

// Refuses what contradicts itself.
void validate(const FineTuneOptions& options);

// The linear maps that can be adapted, as `targets` name them: "model.stack.block0.attention.out", and for
// the parts of merged ones also "model.stack.block0.attention.qkv.q"; last the objective's, "objective.dense".
// Not among them is what is no map on states: embeddings, and the projection to the vocabulary.
std::vector<std::string> adaptable_maps(Model& model, Objective& objective);

// Puts additions at every map that a target matches: one for all rows when the whole map matches, else one
// for each part that does. A map of the objective only matches a target that begins with "objective.", and is
// frozen then. Initial values follow from `seed`. A target that matches nothing is an error. Returns the names
// of the adapted maps.
std::vector<std::string> add_adapters(Model& model,
                                      Objective& objective,
                                      const LoraOptions& options,
                                      uint64_t seed);
// Adds all additions to their weights; model and objective are ordinary ones again.
void merge_adapters(Model& model, Objective& objective);

// What is left of a plain training run: adds adapters and freezes. Model and objective have their initial
// weights, and what is frozen by name is frozen already. Returns the names of the adapted maps.
std::vector<std::string> prepare_fine_tuning(Model& model,
                                             Objective& objective,
                                             const FineTuneOptions& options,
                                             uint64_t seed);

// Elements by module, all blocks of a stack as one: "model.stack.block*.attention.qkv.lora_q" -> 4096.
std::map<std::string, int64_t> summary_of(const Model& model, const NamedTensors& parameters);

// Level of each of `parameters`, whose names are those of `model` and its objective.
std::vector<int64_t> parameter_levels(const Model& model, const NamedTensors& parameters);
// decay^level: what the optimizer multiplies the learning rate of each by.
std::vector<double> rate_multipliers(const Model& model, const NamedTensors& parameters, double decay);

// Which levels learn at a step: a function of the step alone, so a resumed run does what an uninterrupted one
// does. Level by level from the top, only those that have something to train.
class GradualUnfreezing {
 public:
  // A level more is open whenever so many steps, or windows, have been: a step counts `step`, a level takes
  // `level`. In epochs of 100 windows with a batch of 32: {32, 100}.
  struct Pace {
    int64_t step = 1;
    int64_t level = 1;
  };
  // `parameters`: all that will ever be trained.
  GradualUnfreezing(const Model& model, const NamedTensors& parameters, Pace pace);

  int64_t open_levels(int64_t step) const;  // at step 1, 2, ...; at most levels()
  int64_t levels() const { return static_cast<int64_t>(levels_.size()); }
  // Lets gradients flow to what is trained at `step`, and to nothing else.
  void apply(int64_t step) const;

 private:
  std::vector<NamedTensors> levels_;  // from the top
  Pace pace_;
};

}  // namespace lmzoo
