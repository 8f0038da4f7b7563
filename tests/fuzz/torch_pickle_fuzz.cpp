#include "fuzz/target.h"
#include "io/torch_pickle.h"

void lmzoo::fuzz::read_input(const Input& input) {
  for (const TorchTensor& tensor : read_torch_pickle(input.bytes, "data.pkl")) {
    touch(tensor.name.data(), tensor.name.size());
    touch(tensor.storage.data(), tensor.storage.size());
  }
}
