// Files and folders that change under those who use them.
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "io/files.h"
#include "io/held_folder.h"
#include "io/mapped_faults.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
namespace fs = std::filesystem;

TEST_CASE("reading what a mapped file no longer has ends the program with one line that names the file") {
  const test::TempDir dir;
  test::write_file(dir / "store", std::string(1 << 20, 'x'));
  test::write_file(dir / "other", std::string(1 << 20, 'y'));
  const pid_t child = ::fork();
  if (child == 0) {
    const int err = ::open((dir / "err").c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(err, STDERR_FILENO);
    tell_of_files_that_shrink();
    const MappedFile other(dir / "other");
    MappedFile first(dir / "store");
    const MappedFile moved = std::move(first);
    fs::resize_file(dir / "store", 4096);
    int sum = other.text()[1 << 19];
    sum += static_cast<const volatile char*>(moved.text().data())[1 << 19];
    ::_exit(sum == 0 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 2);
  CHECK(test::read_file(dir / "err") == dir / "store" + ": became shorter while it was read\n");
}

TEST_CASE("a folder that is held is found by its new name, and its removal is an error") {
  const test::TempDir dir;
  fs::create_directory(dir / "run");
  HeldFolder held(dir / "run");
  CHECK_FALSE(held.renamed());
  CHECK(held.path() == dir / "run");
  fs::rename(dir / "run", dir / "renamed");
  fs::create_directory(dir / "run");  // another one
  CHECK(held.renamed());
  CHECK(fs::equivalent(held.path(), dir / "renamed"));
  CHECK_FALSE(held.renamed());
  fs::remove(dir / "renamed");
  CHECK_THROWS_WITH(held.renamed(), Catch::Contains("was removed while it was written to"));
  CHECK_THROWS_WITH(HeldFolder(dir / "none"), dir / "none" + ": no such file");
}
