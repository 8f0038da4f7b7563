// What attention of a model costs on an accelerator beyond its arithmetic.
#pragma once

#include <string>

#include "core/model.h"
#include "nn/kernels/attention.h"

namespace lmzoo {

// One line about the layers that do not take LibTorch's flash kernel on CUDA, and why; empty when all do.
// `mask`: of the layers that the call decides for; `type`: of the products (autocast's when it is on).
std::string attention_note(const Model& model, MaskKind mask, at::ScalarType type);

}  // namespace lmzoo
