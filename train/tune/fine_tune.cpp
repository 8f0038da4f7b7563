#include "train/tune/fine_tune.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/rng.h"
#include "core/device.h"
#include "core/registry.h"
#include "nn/linear.h"
#include "nn/low_rank.h"

namespace lmzoo {
namespace {

using NamedMaps = std::vector<std::pair<std::string, Linear*>>;

constexpr std::string_view kObjective = "objective.";

// Every linear map by name: the model's without the projection to the vocabulary, then the objective's.
NamedMaps linear_maps(Model& model, Objective& objective) {
  const std::vector<ModelPart> parts = model.parts();
  NamedMaps maps;
  for (const auto& [name, module] : model.named_modules()) {
    auto* linear = dynamic_cast<Linear*>(module);
    if (linear != nullptr && part_of(parts, name).kind != PartKind::projection) {
      maps.emplace_back("model." + name, linear);
    }
  }
  for (const auto& [name, module] : objective.named_modules("objective")) {
    if (auto* linear = dynamic_cast<Linear*>(module); linear != nullptr) {
      maps.emplace_back(name, linear);
    }
  }
  return maps;
}

// A head is fresh: it learns itself, unless a target names it.
bool is_target(const LoraOptions& options, const std::string& map) {
  return std::ranges::any_of(options.targets, [&](const std::string& target) {
    return glob_matches(target, map) && map.starts_with(kObjective) == target.starts_with(kObjective);
  });
}

std::string part_name(const std::string& map, const RowPart& part) { return map + "." + part.name; }

// "model.stack.block*.attention.out": one name for all blocks.
std::string of_any_block(const std::vector<ModelPart>& parts, const std::string& name) {
  const ModelPart* part = model_part(parts, name);
  if (part == nullptr || part->kind != PartKind::block) {
    return name;
  }
  const std::string block = "model." + part->name;
  return "model." + part->stack + ".block*" + name.substr(block.size());
}

void set_trained(const Tensor& parameter, bool trained) {
  Tensor tensor = parameter;
  tensor.set_requires_grad(trained);
}

void freeze_map(Linear& linear) {
  set_trained(linear.weight, false);
  if (linear.bias.defined()) {
    set_trained(linear.bias, false);
  }
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

void validate(const FineTuneOptions& options) {
  const bool alone = !options.lora && !options.unfreeze && options.layer_decay == 1;
  check(!options.probe || alone,
        "probe trains the objective's head alone: lora, layer_decay and unfreeze have nothing to act on");
}

std::vector<std::string> adaptable_maps(Model& model, Objective& objective) {
  std::vector<std::string> names;
  for (const auto& [name, linear] : linear_maps(model, objective)) {
    names.push_back(name);
    for (const RowPart& part : linear->parts) {
      names.push_back(part_name(name, part));
    }
  }
  return names;
}

std::vector<std::string> add_adapters(Model& model,
                                      Objective& objective,
                                      const LoraOptions& options,
                                      uint64_t seed) {
  const std::vector<std::string> all = adaptable_maps(model, objective);
  const std::vector<ModelPart> parts = model.parts();
  std::set<std::string> kinds;
  for (const std::string& name : all) {
    kinds.insert(of_any_block(parts, name));
  }
  for (const std::string& target : options.targets) {
    const LoraOptions alone{.targets = {target}};
    check(std::ranges::any_of(all, [&](const auto& name) { return is_target(alone, name); }),
          "fine_tune.lora.targets: '{}' matches no linear map; there are {}",
          target,
          joined({kinds.begin(), kinds.end()}));
  }
  seed_generators(seed_of({.seed = seed, .sample = 2, .purpose = Purpose::initialization}), at::kCPU);
  const LowRankOptions addition{.rank = options.rank, .scale = options.scale(), .dropout = options.dropout};
  std::vector<std::string> adapted;
  for (const auto& [name, linear] : linear_maps(model, objective)) {
    if (is_target(options, name)) {
      linear->adapt("", addition);
      if (name.starts_with(kObjective)) {
        freeze_map(*linear);
      }
      adapted.push_back(name);
      continue;
    }
    for (const RowPart& part : linear->parts) {
      if (is_target(options, part_name(name, part))) {
        linear->adapt(part.name, addition);
        adapted.push_back(part_name(name, part));
      }
    }
  }
  check(!adapted.empty(), "fine_tune.lora.targets is empty: name linear maps, as in ['*.q', '*.v']");
  return adapted;
}

void merge_adapters(Model& model, Objective& objective) {
  for (const auto& [name, linear] : linear_maps(model, objective)) {
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
    adapted = add_adapters(model, objective, *options.lora, seed);
  }
  if (options.probe) {
    const auto own = objective.parameters();
    check(std::any_of(own.begin(), own.end(), [](const Tensor& weight) { return weight.requires_grad(); }),
          "probe trains the objective's own weights, but this objective has none that are trained");
    freeze_body(model, {});
  }
  return adapted;
}

std::map<std::string, int64_t> summary_of(const Model& model, const NamedTensors& parameters) {
  const std::vector<ModelPart> parts = model.parts();
  std::map<std::string, int64_t> counts;
  for (const NamedTensor& entry : parameters) {
    const std::string any = of_any_block(parts, entry.name);
    counts[any.substr(0, any.rfind('.'))] += entry.tensor.numel();
  }
  return counts;
}

std::vector<int64_t> parameter_levels(const Model& model, const NamedTensors& parameters) {
  const std::vector<ModelPart> parts = model.parts();
  std::map<std::string, int64_t> blocks;  // of each stack
  int64_t deepest = 0;
  for (const ModelPart& part : parts) {
    if (part.kind == PartKind::block) {
      deepest = std::max(deepest, ++blocks[part.stack]);
    }
  }
  const auto level = [&](const ModelPart* part) -> int64_t {
    if (part == nullptr) {
      return 0;
    }
    switch (part->kind) {
      case PartKind::embeddings:
        return deepest + 1;
      case PartKind::block:
        return blocks.at(part->stack) - part->depth;
      case PartKind::head:
      case PartKind::projection:
        break;
    }
    return 0;
  };
  std::vector<int64_t> levels;
  for (const NamedTensor& entry : parameters) {
    levels.push_back(level(model_part(parts, entry.name)));
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
