#include "fuzz/target.h"
#include "io/torch_file.h"

void lmzoo::fuzz::read_input(const Input& input) {
  const TorchFile file(input.path);
  for (const TensorView& tensor : file.tensors()) {
    touch(tensor.bytes.data(), tensor.bytes.size());
  }
}
