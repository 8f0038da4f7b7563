// What order.sh must be able to see: a program that seeds LibTorch and only then loads its CUDA part.
#include <ATen/Context.h>
#include <dlfcn.h>

int main() {
  at::manual_seed(1);
  return dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr ? 1 : 0;
}
