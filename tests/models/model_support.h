// What the tests of models share: models from option texts, packed inputs, goldens, central differences.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/registry.h"

namespace lmzoo::test {

using Settings = std::map<std::string, std::string>;  // as a user would write them: {"layers", "2"}
using TensorMap = std::map<std::string, Tensor>;

// A model of the registry in evaluation mode: `preset` (may be empty) overridden by `settings`.
struct ModelSpec {
  std::string family;
  Settings settings{};
  std::string preset{};
  int64_t vocabulary = 29;
  int64_t sequence_length = 7;
};
std::shared_ptr<Model> make_model(const ModelSpec& spec);

// A tiny model of every family and variant; `double_precision` converts its weights.
const std::vector<ModelSpec>& tiny_models();
std::string describe(const ModelSpec& spec);

using Ids = std::vector<std::vector<int64_t>>;
Tensor flat(const Ids& ids);
Sequences sequences_of(const Ids& ids);
// Packed sequences; an encoder-decoder also gets `targets`.
Inputs packed(const Ids& ids, const Ids& targets = {});
Ids random_ids(const std::vector<int64_t>& lengths, int64_t vocabulary = 29);

// Every tensor of tests/golden/models/NAME.safetensors.
TensorMap golden_tensors(const std::string& name);

// Largest difference relative to the largest magnitude of `expected`; infinite when shapes differ.
double relative_error(const Tensor& actual, const Tensor& expected);

// Compares the gradients of a weighted sum of `function`'s float64 output with central differences in every
// element of `leaves`. The generator starts at one seed in every call, so dropout is a fixed mask.
void check_gradients(const std::function<Tensor()>& function, const std::vector<Tensor>& leaves);
// The same for all parameters of a module, with random values.
void check_gradients(Module& module, const std::function<Tensor()>& function, const Tensor& input);
// The derivative of the sum of `function` along random directions of all parameters at once: cheap.
void check_directions(Module& module, const std::function<Tensor()>& function);
void randomize(Module& module);

}  // namespace lmzoo::test
