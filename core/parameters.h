// Tensors by name: what the optimizer updates, checkpoints hold and warm starts fill.
//
// Names are "model.<name>" and "objective.<name>". A tensor that is registered twice (tied weights) appears
// once, under its first name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "core/module.h"
#include "core/tensor.h"

namespace lmzoo {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

// Parameters and buffers, in the order of registration: what a checkpoint holds.
NamedTensors weights(const Module& model, const Module& objective);
// Parameters that require a gradient.
NamedTensors trainable(const Module& model, const Module& objective);
int64_t count_elements(const NamedTensors& tensors);
int64_t count_bytes(const NamedTensors& tensors);

// The part of the model that holds a tensor of such a name, or the module of one; null when it is the
// objective's.
const ModelPart* model_part(const std::vector<ModelPart>& parts, std::string_view name);

// fnmatch(3) against the whole name: * is any characters, dots too, ? one of them, [qk] one of those, [!qk]
// one that is none of them; a backslash takes the next character as it is.
bool glob_matches(const std::string& pattern, const std::string& name);
bool any_glob_matches(const std::vector<std::string>& patterns, const std::string& name);

// Takes the gradient from every parameter that matches; a pattern that matches none is an error. Returns the
// frozen names.
std::vector<std::string> freeze(Module& model, Module& objective, const std::vector<std::string>& patterns);

}  // namespace lmzoo
