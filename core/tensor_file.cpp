#include "core/tensor_file.h"

#include <cstring>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "base/check.h"
#include "core/registry.h"

namespace lmzoo {
namespace {

constexpr std::pair<at::ScalarType, Dtype> kTypes[] = {{at::kFloat, Dtype::f32},
                                                       {at::kBFloat16, Dtype::bf16},
                                                       {at::kHalf, Dtype::f16},
                                                       {at::kDouble, Dtype::f64},
                                                       {at::kLong, Dtype::i64},
                                                       {at::kInt, Dtype::i32},
                                                       {at::kShort, Dtype::i16},
                                                       {at::kChar, Dtype::i8},
                                                       {at::kByte, Dtype::u8},
                                                       {at::kBool, Dtype::boolean}};

Dtype dtype_of(const NamedTensor& entry) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == entry.tensor.scalar_type()) {
      return theirs;
    }
  }
  throw std::logic_error(fmt::format(
      "tensor {} has a type that is not saved: {}", entry.name, c10::toString(entry.tensor.scalar_type())));
}

at::ScalarType type_of(const TensorView& view, const std::string& file) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == view.dtype) {
      return ours;
    }
  }
  throw InputError(fmt::format(
      "{}: tensor {} has the type {}, which is not supported", file, view.name, name_of(view.dtype)));
}

// The bytes where they lie, so that a table of gigabytes is not held twice while it is read.
Tensor in_place(const TensorView& view, at::ScalarType type) {
  return at::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape, type);  // NOLINT: only read
}

bool is_aligned(const TensorView& view, at::ScalarType type) {
  return reinterpret_cast<uintptr_t>(view.bytes.data()) % c10::elementSize(type) == 0;
}

bool fits(const TensorView& view, const Tensor& tensor) {
  return tensor.sizes() == at::IntArrayRef(view.shape) && dtype_of({view.name, tensor}) == view.dtype;
}

}  // namespace

void write_tensors(const std::string& path, const NamedTensors& tensors, const Metadata& metadata) {
  std::vector<Tensor> dense;  // keeps copies alive
  std::vector<TensorView> views;
  for (const NamedTensor& entry : tensors) {
    const Tensor& tensor = dense.emplace_back(entry.tensor.detach().to(at::kCPU).contiguous());
    views.push_back({.name = entry.name,
                     .dtype = dtype_of(entry),
                     .shape = tensor.sizes().vec(),
                     .bytes = {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  write_safetensors(path, views, metadata);
}

Tensor to_tensor(const TensorView& view, const std::string& file) {
  Tensor tensor = at::empty(view.shape, type_of(view, file));
  if (!view.bytes.empty()) {
    std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
  }
  return tensor;
}

void read_tensors(const std::string& path, const NamedTensors& tensors) {
  const SafetensorsFile file(path);
  std::vector<std::string> missing, other;
  for (const NamedTensor& entry : tensors) {
    const TensorView* view = file.find(entry.name);
    if (view == nullptr) {
      missing.push_back(entry.name);
    } else if (!fits(*view, entry.tensor)) {
      other.push_back(fmt::format("{} ({} {}, here {} {})",
                                  entry.name,
                                  name_of(view->dtype),
                                  c10::str(at::IntArrayRef(view->shape)),
                                  name_of(dtype_of(entry)),
                                  c10::str(entry.tensor.sizes())));
    }
  }
  check(missing.empty(), "{} lacks {}", path, joined(missing));
  check(other.empty(), "{} has another shape or type of {}", path, joined(other));
  check(file.tensors().size() == tensors.size(),
        "{} has {} tensors but this run has {}",
        path,
        file.tensors().size(),
        tensors.size());
  const at::NoGradGuard no_grad;
  for (const NamedTensor& entry : tensors) {
    Tensor target = entry.tensor;
    const TensorView& view = *file.find(entry.name);
    const at::ScalarType type = type_of(view, path);
    target.copy_(is_aligned(view, type) ? in_place(view, type) : to_tensor(view, path));
  }
}

}  // namespace lmzoo
