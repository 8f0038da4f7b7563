#include "train/start/layer_choice.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/check.h"

namespace lmzoo {
namespace {

// "stack.block" of block 3 with the prefix "stack.block3"; empty when its tensors are called in another way.
std::string stem_of(const ModelPart& part) {
  const std::string number = std::to_string(part.depth);
  const bool is_numbered = part.prefixes.size() == 1 && part.prefixes[0].ends_with(number);
  return is_numbered ? part.prefixes[0].substr(0, part.prefixes[0].size() - number.size()) : "";
}

// Blocks by their stems.
std::map<std::string, int64_t> numbered_blocks(const Model& model) {
  std::map<std::string, int64_t> blocks;
  for (const ModelPart& part : model.parts()) {
    if (part.kind == PartKind::block) {
      const std::string stem = stem_of(part);
      check(!stem.empty(), "warm_start.layers: the blocks of this model have no numbers to choose by");
      ++blocks["model." + stem];
    }
  }
  check(!blocks.empty(), "warm_start.layers: this model has no blocks");
  return blocks;
}

}  // namespace

LayerChoice::LayerChoice(const Model& model, const WarmStartOptions& options) {
  check(options.layers.empty() || !options.every,
        "warm_start.layers names the blocks that warm_start.every counts: give one of them");
  if (options.layers.empty() && !options.every) {
    return;
  }
  check(!options.from.empty(), "warm_start.{} needs warm_start.from", options.every ? "every" : "layers");
  layers_ = options.layers;
  for (const auto& [stem, count] : numbered_blocks(model)) {
    check(options.every || std::ssize(options.layers) == count,
          "warm_start.layers names {} blocks, but this model has {} ({}0 ...)",
          options.layers.size(),
          count,
          stem);
    while (options.every && std::ssize(layers_) < count) {
      layers_.push_back(std::ssize(layers_) * *options.every);
    }
    stems_.push_back(stem);
  }
}

std::optional<LayerChoice::Place> LayerChoice::place_of(std::string_view name) const {
  for (const std::string& stem : stems_) {
    if (!name.starts_with(stem)) {
      continue;
    }
    Place place{.begin = stem.size()};
    const auto [end, error] =
        std::from_chars(name.data() + stem.size(), name.data() + name.size(), place.block);
    place.end = static_cast<size_t>(end - name.data());
    if (error == std::errc() && place.end < name.size() && name[place.end] == '.') {
      return place;
    }
  }
  return std::nullopt;
}

std::string LayerChoice::source_of(const std::string& name) const {
  const auto place = place_of(name);
  if (!place) {
    return name;
  }
  return name.substr(0, place->begin) + std::to_string(layers_.at(static_cast<size_t>(place->block))) +
         name.substr(place->end);
}

bool LayerChoice::leaves_out(std::string_view name) const {
  const auto place = place_of(name);
  return place && std::ranges::find(layers_, place->block) == layers_.end();
}

}  // namespace lmzoo
