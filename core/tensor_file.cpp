#include "core/tensor_file.h"

#include <cstring>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "base/check.h"
#include "core/registry.h"

namespace lmzoo {
namespace {

constexpr std::pair<torch::ScalarType, Dtype> kTypes[] = {{torch::kFloat32, Dtype::f32},
                                                          {torch::kBFloat16, Dtype::bf16},
                                                          {torch::kFloat16, Dtype::f16},
                                                          {torch::kFloat64, Dtype::f64},
                                                          {torch::kInt64, Dtype::i64},
                                                          {torch::kInt32, Dtype::i32},
                                                          {torch::kInt16, Dtype::i16},
                                                          {torch::kInt8, Dtype::i8},
                                                          {torch::kUInt8, Dtype::u8},
                                                          {torch::kBool, Dtype::boolean}};

Dtype dtype_of(const NamedTensor& entry) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == entry.tensor.scalar_type()) {
      return theirs;
    }
  }
  throw std::logic_error(
      concat("tensor ", entry.name, " has a type that is not saved: ", entry.tensor.scalar_type()));
}

torch::ScalarType type_of(const TensorView& view, const std::string& file) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == view.dtype) {
      return ours;
    }
  }
  throw InputError(concat(
      file, ": tensor ", view.name, " has the type ", name_of(view.dtype), ", which is not supported"));
}

// The bytes where they lie, so that a table of gigabytes is not held twice while it is read.
Tensor in_place(const TensorView& view, torch::ScalarType type) {
  return at::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape, type);  // NOLINT: only read
}

bool is_aligned(const TensorView& view, torch::ScalarType type) {
  return reinterpret_cast<uintptr_t>(view.bytes.data()) % c10::elementSize(type) == 0;
}

bool fits(const TensorView& view, const Tensor& tensor) {
  return tensor.sizes() == torch::IntArrayRef(view.shape) && dtype_of({view.name, tensor}) == view.dtype;
}

}  // namespace

void write_tensors(const std::string& path, const NamedTensors& tensors, const Metadata& metadata) {
  std::vector<Tensor> dense;  // keeps copies alive
  std::vector<TensorView> views;
  for (const NamedTensor& entry : tensors) {
    const Tensor& tensor = dense.emplace_back(entry.tensor.detach().to(torch::kCPU).contiguous());
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
      other.push_back(concat(entry.name,
                             " (",
                             name_of(view->dtype),
                             " ",
                             torch::IntArrayRef(view->shape),
                             ", here ",
                             name_of(dtype_of(entry)),
                             " ",
                             entry.tensor.sizes(),
                             ")"));
    }
  }
  check(missing.empty(), path, " lacks ", joined(missing));
  check(other.empty(), path, " has another shape or type of ", joined(other));
  check(file.tensors().size() == tensors.size(),
        path,
        " has ",
        file.tensors().size(),
        " tensors but this run has ",
        tensors.size());
  const at::NoGradGuard no_grad;
  for (const NamedTensor& entry : tensors) {
    Tensor target = entry.tensor;
    const TensorView& view = *file.find(entry.name);
    const torch::ScalarType type = type_of(view, path);
    target.copy_(is_aligned(view, type) ? in_place(view, type) : to_tensor(view, path));
  }
}

}  // namespace lmzoo
