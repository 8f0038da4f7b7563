#include "train/tune/fine_tune.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <set>

#include <ATen/Context.h>

#include "base/check.h"
#include "base/rng.h"
#include "core/registry.h"
#include "nn/linear.h"
#include "nn/low_rank.h"

namespace lmzoo {
namespace {

// Every linear map of the model by name, without the projection to the vocabulary.
std::vector<std::pair<std::string, Linear*>> linear_maps(Model& model) {
  std::vector<std::pair<std::string, Linear*>> maps;
  for (const auto& item : model.named_modules("model")) {
    auto* linear = dynamic_cast<Linear*>(item.value);
    const bool is_output =
        linear != nullptr && item.name == "model.head" && linear->weight.size(0) == model.vocab_rows();
    if (linear != nullptr && !is_output) {
      maps.emplace_back(item.name, linear);
    }
  }
  return maps;
}

std::string part_name(const std::string& map, const RowPart& part) { return map + "." + part.name; }

// The stack and number of a block in a name such as "model.encoder.block3.attention.qkv.weight".
struct BlockPlace {
  std::string stack;
  int64_t index = 0;
};
std::optional<BlockPlace> block_of(std::string_view name) {
  constexpr std::string_view kBlock = ".block";
  const size_t at = name.find(kBlock);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  BlockPlace place{.stack = std::string(name.substr(0, at))};
  const char* digits = name.data() + at + kBlock.size();
  const auto [end, error] = std::from_chars(digits, name.data() + name.size(), place.index);
  return error == std::errc() && *end == '.' ? std::optional(place) : std::nullopt;
}

// "model.stack.block*.attention.out": one name for all blocks.
std::string of_any_block(std::string name) {
  if (const auto place = block_of(name)) {
    const std::string block = place->stack + ".block";
    name.replace(block.size(), std::to_string(place->index).size(), "*");
  }
  return name;
}

// What stands after the blocks; everything else outside of them comes before.
bool is_above_blocks(std::string_view name) {
  return name.starts_with("objective.") || name.starts_with("model.head") ||
         name.starts_with("model.pooler") || name.find(".final_norm.") != std::string_view::npos;
}

void set_trained(const Tensor& parameter, bool trained) {
  Tensor tensor = parameter;
  tensor.set_requires_grad(trained);
}

void freeze_body(Model& model, const std::vector<std::string>& but) {
  for (const std::string& pattern : but) {
    const auto all = model.named_parameters();
    check(std::any_of(all.begin(),
                      all.end(),
                      [&](const auto& item) { return glob_matches(pattern, "model." + item.name); }),
          "fine_tune.lora.train: '{}' matches no parameter; names begin with model.",
          pattern);
  }
  for (const auto& item : model.named_parameters()) {
    if (!any_glob_matches(but, "model." + item.name)) {
      set_trained(item.value, false);
    }
  }
}

}  // namespace

double LoraOptions::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (scaling == LoraScaling::rank ? r : std::sqrt(r));
}

void validate(const FineTuneOptions& options) {
  const bool alone = !options.lora && !options.unfreeze && options.layer_decay == 1;
  check(!options.probe || alone,
        "probe trains the objective's head alone: lora, layer_decay and unfreeze have nothing to act on");
}

std::vector<std::string> adaptable_maps(Model& model) {
  std::vector<std::string> names;
  for (const auto& [name, linear] : linear_maps(model)) {
    names.push_back(name);
    for (const RowPart& part : linear->parts) {
      names.push_back(part_name(name, part));
    }
  }
  return names;
}

std::vector<std::string> add_adapters(Model& model, const LoraOptions& options, uint64_t seed) {
  const std::vector<std::string> all = adaptable_maps(model);
  std::set<std::string> kinds;
  std::transform(all.begin(), all.end(), std::inserter(kinds, kinds.end()), of_any_block);
  for (const std::string& target : options.targets) {
    check(std::any_of(all.begin(), all.end(), [&](const auto& name) { return glob_matches(target, name); }),
          "fine_tune.lora.targets: '{}' matches no linear map; there are {}",
          target,
          joined({kinds.begin(), kinds.end()}));
  }
  at::manual_seed(seed_of({.seed = seed, .sample = 2, .purpose = Purpose::initialization}));
  const LowRankOptions addition{.rank = options.rank, .scale = options.scale(), .dropout = options.dropout};
  std::vector<std::string> adapted;
  const auto is_target = [&](const std::string& name) { return any_glob_matches(options.targets, name); };
  for (const auto& [name, linear] : linear_maps(model)) {
    if (is_target(name)) {
      linear->adapt("", addition);
      adapted.push_back(name);
      continue;
    }
    for (const RowPart& part : linear->parts) {
      if (is_target(part_name(name, part))) {
        linear->adapt(part.name, addition);
        adapted.push_back(part_name(name, part));
      }
    }
  }
  check(!adapted.empty(), "fine_tune.lora.targets is empty: name linear maps, as in ['*.q', '*.v']");
  return adapted;
}

void merge_adapters(Model& model) {
  for (const auto& [name, linear] : linear_maps(model)) {
    linear->merge();
  }
}

std::vector<std::string> prepare_fine_tuning(Model& model,
                                             Objective& objective,
                                             const FineTuneOptions& options,
                                             uint64_t seed) {
  validate(options);
  std::vector<std::string> adapted;
  if (options.lora) {
    freeze_body(model, options.lora->train);
    adapted = add_adapters(model, *options.lora, seed);
  }
  if (options.probe) {
    const auto own = objective.parameters();
    check(std::any_of(own.begin(), own.end(), [](const Tensor& weight) { return weight.requires_grad(); }),
          "probe trains the objective's own weights, but this objective has none that are trained");
    freeze_body(model, {});
  }
  return adapted;
}

std::map<std::string, int64_t> summary_of(const NamedTensors& parameters) {
  std::map<std::string, int64_t> counts;
  for (const NamedTensor& entry : parameters) {
    counts[of_any_block(entry.name.substr(0, entry.name.rfind('.')))] += entry.tensor.numel();
  }
  return counts;
}

std::vector<int64_t> parameter_levels(const Model& model, const NamedTensors& parameters) {
  std::map<std::string, int64_t> blocks;  // of each stack
  for (const auto& item : model.named_parameters()) {
    if (const auto place = block_of("model." + item.name)) {
      int64_t& count = blocks[place->stack];
      count = std::max(count, place->index + 1);
    }
  }
  int64_t deepest = 0;
  for (const auto& [stack, count] : blocks) {
    deepest = std::max(deepest, count);
  }
  std::vector<int64_t> levels;
  for (const NamedTensor& entry : parameters) {
    if (const auto place = block_of(entry.name)) {
      levels.push_back(blocks.at(place->stack) - place->index);
    } else {
      levels.push_back(is_above_blocks(entry.name) ? 0 : deepest + 1);
    }
  }
  return levels;
}

std::vector<double> rate_multipliers(const Model& model, const NamedTensors& parameters, double decay) {
  std::vector<double> rates;
  for (const int64_t level : parameter_levels(model, parameters)) {
    rates.push_back(std::pow(decay, static_cast<double>(level)));
  }
  return rates;
}

GradualUnfreezing::GradualUnfreezing(const Model& model, const NamedTensors& parameters, Pace pace)
    : pace_(pace) {
  std::map<int64_t, NamedTensors> by_level;
  const std::vector<int64_t> levels = parameter_levels(model, parameters);
  for (size_t i = 0; i < parameters.size(); ++i) {
    by_level[levels[i]].push_back(parameters[i]);
  }
  for (auto& [level, tensors] : by_level) {
    levels_.push_back(std::move(tensors));
  }
}

int64_t GradualUnfreezing::open_levels(int64_t step) const {
  return std::min((step - 1) * pace_.step / pace_.level + 1, levels());
}

void GradualUnfreezing::apply(int64_t step) const {
  const int64_t open = open_levels(step);
  for (int64_t level = 0; level < levels(); ++level) {
    for (const NamedTensor& entry : levels_[static_cast<size_t>(level)]) {
      set_trained(entry.tensor, level < open);
    }
  }
}

}  // namespace lmzoo
