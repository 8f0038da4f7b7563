#include "core/machine_memory.h"

#include <filesystem>
#include <limits>

#include <sys/resource.h>

#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using test::TempDir;
using test::write_file;

TEST_CASE("the least limit of the control groups around this one counts, in both versions") {
  constexpr uint64_t none = std::numeric_limits<uint64_t>::max();
  const TempDir root;
  std::filesystem::create_directories(root / "a/b");
  write_file(root / "a/memory.max", "1000\n");
  write_file(root / "a/b/memory.max", "max\n");
  const std::string top = root.path().string();
  CHECK(control_group_limit("0::/a/b\n", top) == 1000);
  CHECK(control_group_limit("0::/\n", top) == none);
  CHECK(control_group_limit("", top) == none);
  write_file(root / "memory.max", "700\n");  // of a container, which sees its own group as the root
  CHECK(control_group_limit("0::/\n", top) == 700);
  std::filesystem::create_directories(root / "memory/c");
  write_file(root / "memory/c/memory.limit_in_bytes", "500\n");
  CHECK(control_group_limit("12:cpu,memory:/c\n1:name=systemd:/x\n", top) == 500);
}

#ifndef __SANITIZE_ADDRESS__  // whose runtime maps memory itself, and dies when it cannot
TEST_CASE("a limit of the address space is one of memory") {
  const uint64_t before = usable_memory();
  CHECK(before > 100'000'000);
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_AS, &old) == 0);
  rlimit less = old;
  less.rlim_cur = before - 4096;
  REQUIRE(setrlimit(RLIMIT_AS, &less) == 0);
  CHECK(usable_memory() == before - 4096);
  setrlimit(RLIMIT_AS, &old);
}
#endif
