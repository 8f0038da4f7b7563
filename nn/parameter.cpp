#include "nn/parameter.h"

#include <ATen/ops/empty.h>

namespace lmzoo {
namespace {
thread_local bool on_meta = false;
thread_local bool unset = false;
}  // namespace

MetaScope::MetaScope() : before_(on_meta) { on_meta = true; }
MetaScope::~MetaScope() { on_meta = before_; }

UnsetScope::UnsetScope() : before_(unset) { unset = true; }
UnsetScope::~UnsetScope() { unset = before_; }

bool draws_initial_weights() { return !unset; }
bool has_shapes_only() { return on_meta; }

at::Tensor new_parameter(at::IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions().dtype(at::kFloat).device(on_meta ? at::kMeta : at::kCPU));
}

}  // namespace lmzoo
