// The data.pkl of a PyTorch file: which tensors there are, by name, and where in which storage each lies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/tensor_view.h"

namespace lmzoo {

// Sizes, strides and offset count elements. They are as the file has them: nothing is checked against the
// storage.
struct TorchTensor {
  std::string_view name;     // these two are views of the pickle
  std::string_view storage;  // the entry data/KEY
  Dtype dtype = Dtype::f32;
  uint64_t storage_bytes = 0;
  int64_t offset = 0;
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
};

// `name` is only for messages. Names that are not in a state_dict are refused with their offset; so are a
// root that is no mapping of names to tensors, a name given twice and a value that is no tensor.
std::vector<TorchTensor> read_torch_pickle(std::string_view bytes, const std::string& name);

}  // namespace lmzoo
