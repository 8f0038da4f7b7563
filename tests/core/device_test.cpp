#include "core/device.h"

#include <ATen/Context.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <dlfcn.h>

#include "base/error.h"
#include "support/catch.h"

using namespace lmzoo;

TEST_CASE("a device has one of four names") {
  for (const char* name : {"auto", "cpu", "cuda", "cuda:0", "cuda:7"}) {
    CHECK_NOTHROW(check_device_name(name));
  }
  for (const char* name : {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:1x", "cuda:999", "CPU"}) {
    CHECK_THROWS_AS(check_device_name(name), InputError);
  }
  CHECK_THROWS_WITH(check_device_name("cdua"),
                    "no device 'cdua'; legal: auto, cpu, cuda, cuda:N with N from 0 (did you mean 'cuda'?)");
  CHECK(choose_device({.name = "cpu"}).device.is_cpu());
  CHECK(choose_device({.name = "cpu"}).note.empty());
}

TEST_CASE("without an NVIDIA driver auto is the CPU and says so, and cuda is refused") {
  if (dlopen("libcuda.so.1", RTLD_LAZY) != nullptr) {
    LMZOO_SKIP("this machine has an NVIDIA driver");
  }
  CHECK(choose_device({.name = "auto"}).device.is_cpu());
  CHECK(choose_device({.name = "auto"}).note == "device: cpu (no NVIDIA driver here)");
  CHECK_THROWS_WITH(choose_device({.name = "cuda"}),
                    "device cuda needs an NVIDIA driver, and this machine has none (libcuda.so.1)");
}

TEST_CASE("deterministic algorithms are for a GPU: the CPU has no others") {
  CHECK(choose_device({.name = "cpu", .deterministic = true}).device.is_cpu());
  CHECK_FALSE(at::globalContext().deterministicAlgorithms());
}

TEST_CASE("seeding the CPU's generator draws what LibTorch's own seeding does") {
  at::manual_seed(7);
  const Tensor expected = at::rand({100});
  seed_generators(8, c10::kCPU);
  CHECK_FALSE(at::equal(at::rand({100}), expected));
  seed_generators(7, c10::kCPU);
  CHECK(at::equal(at::rand({100}), expected));
}

TEST_CASE("what is on its device already is not copied") {
  const Tensor here = at::ones({3});
  CHECK(sent(here, c10::kCPU).is_same(here));
  CHECK_FALSE(sent(Tensor(), c10::kCPU).defined());
  CHECK(sent(here, c10::kMeta).is_meta());
}
