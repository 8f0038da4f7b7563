#include "fuzz/target.h"
#include "io/tensor_index.h"

void lmzoo::fuzz::read_input(const Input& input) {
  for (const auto& [tensor, file] : read_tensor_index(input.path).owner) {
    touch(tensor.data(), tensor.size());
  }
}
