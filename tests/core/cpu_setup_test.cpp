#include "core/cpu_setup.h"

#include <atomic>
#include <limits>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <dlfcn.h>

#include "base/error.h"
#include "support/catch.h"

using namespace lmzoo;

extern "C" int mkl_serv_intel_cpu_true();

TEST_CASE("oneMKL asks this program, and is told to use AVX-512 only where it would not") {
  // What libtorch_cpu.so finds is what the whole process finds first.
  const void* found = dlsym(RTLD_DEFAULT, "mkl_serv_intel_cpu_true");
  CHECK(found == reinterpret_cast<const void*>(&mkl_serv_intel_cpu_true));
  const auto original = reinterpret_cast<int (*)()>(dlsym(RTLD_NEXT, "mkl_serv_intel_cpu_true"));
  REQUIRE(original != nullptr);
  CHECK(mkl_serv_intel_cpu_true() == (mkl_dispatch_changed() ? 1 : original()));
  CHECK_FALSE((mkl_dispatch_changed() && original() != 0));
}

TEST_CASE("products are as exact as float32 allows, whatever oneMKL was told") {
  at::manual_seed(1);
  const at::Tensor a = at::randn({70, 300}), b = at::randn({300, 90});
  const at::Tensor exact = at::matmul(a.to(at::kDouble), b.to(at::kDouble));
  const at::Tensor bound = at::matmul(a.abs().to(at::kDouble), b.abs().to(at::kDouble));
  const double error = ((at::matmul(a, b).to(at::kDouble) - exact).abs() / bound).max().item<double>();
  CHECK(error < 300 * std::numeric_limits<float>::epsilon());
}

TEST_CASE("every thread flushes denormals to zero, and the number of threads is the one asked for") {
  const int before = at::get_num_threads();
  CHECK(set_up_cpu(2) == 2);
  CHECK(at::get_num_threads() == 2);
  std::atomic<int> nonzero = 0;
  at::parallel_for(0, 2, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      volatile float small = std::numeric_limits<float>::min();
      small = small * 0.5F;
      nonzero += small != 0 ? 1 : 0;
    }
  });
  CHECK(nonzero == 0);
  at::globalContext().setFlushDenormal(false);
  at::set_num_threads(before);
  CHECK_THROWS_AS(set_up_cpu(-1), InputError);
  CHECK_THROWS_AS(set_up_cpu(kMostThreads + 1), InputError);
}

TEST_CASE("0 threads are the machine's own number again, whatever was set before") {
  const int64_t usual = set_up_cpu(0);
  CHECK(usual == at::get_num_threads());
  for (const int64_t threads : {usual + 1, int64_t{1}}) {
    CHECK(set_up_cpu(threads) == threads);
    CHECK(at::get_num_threads() == threads);
    CHECK(set_up_cpu(0) == usual);
    CHECK(at::get_num_threads() == usual);
  }
}

TEST_CASE("a machine without an NVIDIA driver has no GPU to name") {
  if (dlopen("libcuda.so.1", RTLD_LAZY) != nullptr) {
    LMZOO_SKIP("this machine has an NVIDIA driver");
  }
  CHECK(gpu_description() == "none");
}
