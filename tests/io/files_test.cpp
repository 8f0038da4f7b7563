#include "io/files.h"

#include <csignal>
#include <filesystem>
#include <stdexcept>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
namespace fs = std::filesystem;

namespace {

size_t entries_in(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator{}));
}

// While it lives, no file may grow over `bytes`: the nearest thing to a full disk that needs no privileges.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    previous_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, previous_);
  }

 private:
  rlimit before_{};
  void (*previous_)(int) = nullptr;
};

}  // namespace

TEST_CASE("a mapped file shows the bytes of the file") {
  const test::TempDir dir;
  test::write_file(dir / "a", "hello");
  MappedFile file(dir / "a");
  CHECK(file.text() == "hello");
  MappedFile moved = std::move(file);
  CHECK(moved.text() == "hello");
  CHECK(moved.path() == dir / "a");
  write_atomically(dir / "a", "other");
  CHECK(moved.text() == "hello");
  test::write_file(dir / "empty", "");
  CHECK(MappedFile(dir / "empty").bytes().empty());
}

TEST_CASE("what is not a readable regular file is refused by name, and a pipe is not waited for") {
  const test::TempDir dir;
  CHECK_THROWS_WITH(MappedFile(dir / "no"), dir / "no" + ": no such file");
  CHECK_THROWS_WITH(MappedFile(dir.path().string()), dir.path().string() + ": is a folder, not a file");
  REQUIRE(mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(MappedFile(dir / "pipe"), dir / "pipe" + ": is not a regular file");
  CHECK_THROWS_WITH(read_text_file(dir / "pipe", 10), dir / "pipe" + ": is not a regular file");
  CHECK_THROWS_WITH(MappedFile("/dev/null"), "/dev/null: is not a regular file");
}

TEST_CASE("a file is written whole, in folders that are made for it, without a trace of the temporary") {
  const test::TempDir dir;
  const std::string path = dir / "a/b/c.txt";
  write_atomically(path, "one");
  CHECK(test::read_file(path) == "one");
  write_atomically(path, "two");
  CHECK(test::read_file(path) == "two");
  CHECK(entries_in(dir.path() / "a/b") == 1);
  const std::string large(5'000'000, 'x');
  write_atomically(path, [&](FileSink& sink) {
    sink.write("begin ");
    sink.write(large);
    sink.write(" end");
    CHECK(sink.size() == large.size() + 10);
  });
  CHECK(test::read_file(path) == "begin " + large + " end");
}

TEST_CASE("a write that fails leaves the old file and no temporary") {
  const test::TempDir dir;
  const std::string path = dir / "state.json";
  write_atomically(path, "old");
  SECTION("the content cannot be made") {
    CHECK_THROWS_AS(write_atomically(path,
                                     [](FileSink& sink) {
                                       sink.write("half");
                                       sink.flush();
                                       throw std::runtime_error("cannot go on");
                                     }),
                    std::runtime_error);
  }
  SECTION("the disk takes no more") {
    const FileSizeLimit limit(100'000);
    CHECK_THROWS_WITH(write_atomically(path, std::string(3'000'000, 'x')),
                      path + ": cannot write: file too large");
  }
  CHECK(test::read_file(path) == "old");
  CHECK(entries_in(dir.path()) == 1);
}

TEST_CASE("a full disk is named as such") {
  if (!fs::exists("/dev/full")) {
    LMZOO_SKIP("there is no /dev/full");
  }
  AppendFile log("/dev/full");
  log.write("x");
  CHECK_THROWS_WITH(log.flush(),
                    "/dev/full: cannot write: the disk is full; free some space or choose another folder");
}

TEST_CASE("a folder that may not be written is named as such") {
  if (geteuid() == 0) {
    CHECK_THROWS_WITH(write_atomically("/proc/lmzoo.txt", "x"),
                      Catch::StartsWith("/proc/lmzoo.txt: cannot write: "));
    return;
  }
  const test::TempDir dir;
  fs::permissions(dir.path(), fs::perms::owner_read | fs::perms::owner_exec);
  CHECK_THROWS_WITH(
      write_atomically(dir / "a", "x"),
      dir / "a" + ": cannot write: the folder is read-only; choose another folder or change its permissions");
  fs::permissions(dir.path(), fs::perms::owner_all);
}

TEST_CASE("a file where a folder should be is an error that names it") {
  const test::TempDir dir;
  test::write_file(dir / "a", "");
  CHECK_THROWS_WITH(write_atomically(dir / "a/b", "x"), Catch::StartsWith(dir / "a" + ": cannot write: "));
}

TEST_CASE("a staged folder appears whole on commit, and not at all without") {
  const test::TempDir dir;
  const std::string final_path = dir / "checkpoints/step-1";
  {
    const StagedFolder staged(final_path);
    test::write_file(staged.path() + "/model", "half");
    CHECK_FALSE(fs::exists(final_path));
  }
  CHECK(entries_in(dir.path() / "checkpoints") == 0);
  StagedFolder staged(final_path);
  test::write_file(staged.path() + "/model", "whole");
  test::write_file(staged.path() + "/tokenizer/spm", "deep");
  staged.commit();
  CHECK(test::read_file(final_path + "/model") == "whole");
  CHECK(test::read_file(final_path + "/tokenizer/spm") == "deep");
  CHECK(entries_in(dir.path() / "checkpoints") == 1);
}

TEST_CASE("committing over a folder replaces it, with nothing of the old one left") {
  const test::TempDir dir;
  test::write_file(dir / "run/old", "old");
  StagedFolder staged(dir / "run/");
  test::write_file(staged.path() + "/new", "new");
  staged.commit();
  CHECK(test::read_file(dir / "run/new") == "new");
  CHECK(entries_in(dir.path() / "run") == 1);
  CHECK(entries_in(dir.path()) == 1);
}

TEST_CASE("leftovers that nobody owns are removed, everything else is kept") {
  const test::TempDir dir;
  const StagedFolder owned(dir / "step-2");
  test::write_file(owned.path() + "/model", "half");
  for (const char* name : {".model.tmp-0123456789abcdef",
                           ".step-1.tmp-00000000000000ff/x",
                           "model",
                           "a.tmp-0123456789abcdef",
                           ".c.tmp-old"}) {
    test::write_file(dir / name, "");
  }
  std::string own;
  write_atomically(dir / "big", [&](FileSink& sink) {
    sink.write("x");
    for (const auto& entry : fs::directory_iterator(dir.path())) {
      own = entry.path().filename().string().starts_with(".big.tmp-") ? entry.path().string() : own;
    }
    remove_leftovers(dir.path().string());
    CHECK(fs::exists(own));
  });
  CHECK(test::read_file(dir / "big") == "x");
  CHECK(fs::exists(owned.path() + "/model"));
  CHECK_FALSE(fs::exists(dir / ".model.tmp-0123456789abcdef"));
  CHECK_FALSE(fs::exists(dir / ".step-1.tmp-00000000000000ff"));
  CHECK(entries_in(dir.path()) == 5);
  CHECK_NOTHROW(remove_leftovers(dir / "absent"));
}

TEST_CASE("what a killed process left is removed by the next one") {
  const test::TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    const StagedFolder staged(dir / "step-1");
    test::write_file(staged.path() + "/model", "half");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(entries_in(dir.path()) == 1);
  remove_leftovers(dir.path().string());
  CHECK(entries_in(dir.path()) == 0);
}

TEST_CASE("a folder is removed with all that is in it, and one that is not there is an error") {
  const test::TempDir dir;
  test::write_file(dir / "step-1/deep/model", "x");
  remove_folder(dir / "step-1");
  CHECK(entries_in(dir.path()) == 0);
  CHECK_THROWS_WITH(remove_folder(dir / "step-1"), Catch::StartsWith(dir / "step-1" + ": cannot write: "));
}

TEST_CASE("a log grows at its end, over several openings") {
  const test::TempDir dir;
  const std::string path = dir / "run/metrics.jsonl";
  {
    AppendFile log(path);
    log.write("one\n");
    log.flush();
    CHECK(test::read_file(path) == "one\n");
    log.write("two\n");
  }
  AppendFile(path).write("three\n");
  CHECK(test::read_file(path) == "one\ntwo\nthree\n");
}

TEST_CASE("too little space is told before anything is written") {
  const test::TempDir dir;
  CHECK_NOTHROW(ensure_space(dir.path().string(), 1));
  CHECK_NOTHROW(ensure_space(dir / "not/yet/made", 1));
  CHECK_NOTHROW(ensure_space("", 1));
  CHECK_THROWS_WITH(ensure_space(dir / "x", uint64_t{1} << 60),
                    Catch::StartsWith(dir / "x" + ": the disk is too full: 1024.0 PiB are needed and "));
}

TEST_CASE("checksums are zlib's and can be continued") {
  CHECK(crc32(as_bytes("123456789")) == 0xCBF43926u);
  CHECK(crc32(as_bytes("6789"), crc32(as_bytes("12345"))) == 0xCBF43926u);
  const test::TempDir dir;
  test::write_file(dir / "a", "123456789");
  CHECK(crc32_of_file(dir / "a") == 0xCBF43926u);
}

TEST_CASE("sizes are shown in units that people read") {
  CHECK(human_bytes(512) == "512 B");
  CHECK(human_bytes(1536) == "1.50 KiB");
  CHECK(human_bytes(uint64_t{64} << 20) == "64.0 MiB");
}
