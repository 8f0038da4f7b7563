// Named tensors to and from safetensors.
#pragma once

#include <map>
#include <string>

#include "core/parameters.h"
#include "io/safetensors.h"

namespace lmzoo {

using Metadata = std::map<std::string, std::string>;

// Tensors of any device and layout; `names` are those of the file.
void write_tensors(const std::string& path, const NamedTensors& tensors, const Metadata& metadata = {});

// The bytes of `view` as a tensor that owns its memory. A type that LibTorch does not compute with is
// refused.
Tensor to_tensor(const TensorView& view, const std::string& file);

// Fills `tensors` from a file that must have exactly these names, shapes and types; otherwise an InputError
// that lists what differs, and nothing is changed.
void read_tensors(const std::string& path, const NamedTensors& tensors);

}  // namespace lmzoo
