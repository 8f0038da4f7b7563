// Where new parameters live, and whether models fill them. Normally the CPU, and they do; inside a MetaScope
// parameters have shapes but no memory, so that `lmzoo plan` counts a model of any size in no time; inside an
// UnsetScope they are left as the allocator gives them, for whoever reads all of them from a file next.
#pragma once

#include "core/tensor.h"

namespace lmzoo {

class MetaScope {
 public:
  MetaScope();
  ~MetaScope();
  MetaScope(const MetaScope&) = delete;
  MetaScope& operator=(const MetaScope&) = delete;

 private:
  bool before_;
};

class UnsetScope {
 public:
  UnsetScope();
  ~UnsetScope();
  UnsetScope(const UnsetScope&) = delete;
  UnsetScope& operator=(const UnsetScope&) = delete;

 private:
  bool before_;
};

// False inside an UnsetScope: a model then draws no initial weights.
bool draws_initial_weights();
// Inside a MetaScope: no weights can be read.
bool has_shapes_only();

// An uninitialized float32 tensor on the device of the scope.
at::Tensor new_parameter(at::IntArrayRef shape);

}  // namespace lmzoo
