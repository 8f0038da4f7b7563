// Two containers on one folder: a mount and PID namespace each, in which process ids say nothing.
#include <csignal>
#include <filesystem>
#include <string>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "io/file_lock.h"
#include "io/files.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
namespace fs = std::filesystem;

namespace {

constexpr int kNotPermitted = 77;

// Forks a process that is number 1 of a PID namespace of its own, and returns the one that waits for it and exits with its
// code. `work` returns that code.
template <class Work>
pid_t in_container(const Work& work) {
  const pid_t outer = ::fork();
  if (outer != 0) {
    return outer;
  }
  if (::unshare(CLONE_NEWNS | CLONE_NEWPID) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    ::_exit(kNotPermitted);
  }
  const pid_t inner = ::fork();
  if (inner == 0) {
    int code = 99;
    try {
      code = ::getpid() == 1 ? work() : 98;
    } catch (const std::exception&) {
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(inner, &status, 0);
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 97);
}

int code_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 96;
}

void wait_for(const std::string& path) {
  for (int i = 0; i < 2000 && !fs::exists(path); ++i) {
    ::usleep(5000);
  }
}

}  // namespace

TEST_CASE("a container neither takes what another one owns nor removes what another one writes") {
  if (code_of(in_container([] { return 0; })) == kNotPermitted) {
    LMZOO_SKIP("namespaces may not be made here");
  }
  const test::TempDir dir;
  // Process 1 of the first: owns the run and is in the middle of two writes.
  const pid_t first = in_container([&] {
    const FileLock lock(dir / ".lock", "the run");
    StagedFolder staged(dir / "checkpoints/step-1");
    test::write_file(staged.path() + "/model", "half");
    write_atomically(dir / "checkpoints/state", [&](FileSink& sink) {
      sink.write("whole");
      test::write_file(dir / "ready", "");
      wait_for(dir / "go on");
    });
    staged.commit();
    return 0;
  });
  wait_for(dir / "ready");
  REQUIRE(fs::exists(dir / "ready"));
  // Process 1 of the second, too.
  const pid_t second = in_container([&] {
    remove_leftovers(dir / "checkpoints");
    try {
      const FileLock lock(dir / ".lock", "the run");
      return 1;
    } catch (const InputError& error) {
      test::write_file(dir / "refusal", error.what());
      return 0;
    }
  });
  CHECK(code_of(second) == 0);
  test::write_file(dir / "go on", "");
  CHECK(code_of(first) == 0);
  std::string host(256, '\0');
  ::gethostname(host.data(), host.size() - 1);
  CHECK(test::read_file(dir / "refusal") ==
        "the run is in use by process 1 on " + std::string(host.c_str()) + "; wait for it, or stop it");
  CHECK(test::read_file(dir / "checkpoints/step-1/model") == "half");
  CHECK(test::read_file(dir / "checkpoints/state") == "whole");
}

TEST_CASE("what process 1 of a killed container left neither blocks nor stays") {
  if (code_of(in_container([] { return 0; })) == kNotPermitted) {
    LMZOO_SKIP("namespaces may not be made here");
  }
  const test::TempDir dir;
  const auto killed = [&] {
    const FileLock lock(dir / ".lock", "the run");
    const StagedFolder staged(dir / "checkpoints/step-1");
    test::write_file(dir / "ready", "");
    ::pause();
    return 0;
  };
  const pid_t first = ::fork();
  if (first == 0) {
    ::setpgid(0, 0);
    ::_exit(code_of(in_container(killed)));
  }
  wait_for(dir / "ready");
  ::kill(-first, SIGKILL);
  code_of(first);
  const pid_t second = in_container([&] {
    for (int i = 0; i < 400; ++i) {  // the kernel may still be at its end
      try {
        const FileLock lock(dir / ".lock", "the run");
        remove_leftovers(dir / "checkpoints");
        StagedFolder staged(dir / "checkpoints/step-1");
        test::write_file(staged.path() + "/model", "whole");
        staged.commit();
        return 0;
      } catch (const InputError&) {
        ::usleep(5000);
      }
    }
    return 1;
  });
  CHECK(code_of(second) == 0);
  CHECK(test::read_file(dir / "checkpoints/step-1/model") == "whole");
  CHECK(std::distance(fs::directory_iterator(dir / "checkpoints"), {}) == 1);
}
