// Tensors by name: what the optimizer updates, checkpoints hold and warm starts fill.
//
// Names are "model.<name>" and "objective.<name>". A tensor that is registered twice (tied weights) appears
// once, under its first name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/objective.h"

namespace lmzoo {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

// Parameters and buffers, in the order of registration: what a checkpoint holds.
NamedTensors weights(const Model& model, const Objective& objective);
// Parameters that require a gradient.
NamedTensors trainable(const Model& model, const Objective& objective);
int64_t count_elements(const NamedTensors& tensors);

// The part of the model that holds a tensor of such a name, or the module of one; null when it is the
// objective's.
const ModelPart* model_part(const std::vector<ModelPart>& parts, std::string_view name);

// `pattern` with * (any characters) and ? (one character) against the whole name.
bool glob_matches(std::string_view pattern, std::string_view name);
bool any_glob_matches(const std::vector<std::string>& patterns, std::string_view name);

// Takes the gradient from every parameter that matches; a pattern that matches none is an error. Returns the
// frozen names.
std::vector<std::string> freeze(Model& model, Objective& objective, const std::vector<std::string>& patterns);

}  // namespace lmzoo
