#include "models/parameter.h"

#include <ATen/ops/empty.h>

namespace lmzoo {
namespace {
thread_local bool on_meta = false;
}

MetaScope::MetaScope() : before_(on_meta) { on_meta = true; }
MetaScope::~MetaScope() { on_meta = before_; }

torch::Tensor new_parameter(at::IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions().dtype(at::kFloat).device(on_meta ? at::kMeta : at::kCPU));
}

}  // namespace lmzoo
