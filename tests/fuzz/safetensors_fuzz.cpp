#include "fuzz/target.h"
#include "io/safetensors.h"

void lmzoo::fuzz::read_input(const Input& input) {
  const SafetensorsFile file(input.path);
  for (const TensorView& tensor : file.tensors()) {
    touch(tensor.bytes.data(), tensor.bytes.size());
    touch(file.find(tensor.name), sizeof tensor);
  }
}
