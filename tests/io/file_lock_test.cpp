#include "io/file_lock.h"

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

namespace {

// Whether another process can own the file now.
bool is_free(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      const FileLock lock(path, "it");
      ::_exit(0);
    } catch (const InputError&) {
      ::_exit(1);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a lock has one owner, which the refusal names, and is free when the owner ends in any way") {
  const test::TempDir dir;
  const std::string path = dir / ".lock";
  {
    const FileLock lock(path, "the run");
    CHECK_FALSE(is_free(path));
    CHECK_THROWS_WITH(
        FileLock(path, "the run"),
        Catch::StartsWith("the run is in use by process " + std::to_string(::getpid()) + " on "));
  }
  CHECK(is_free(path));
  const pid_t child = ::fork();  // dies while it owns
  if (child == 0) {
    const FileLock lock(path, "it");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(test::read_file(path).starts_with("process " + std::to_string(child)));
  CHECK(is_free(path));
}

TEST_CASE("a lock that cannot be made is one line with its path") {
  CHECK_THROWS_WITH(FileLock("/nowhere/.lock", "it"), Catch::Contains("/nowhere/.lock: cannot be written"));
}
