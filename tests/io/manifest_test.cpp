#include "io/manifest.h"

#include <filesystem>

#include "base/error.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

namespace {

// A folder with a manifest.
class Checkpoint {
 public:
  Checkpoint() {
    test::write_file(dir_ / "model", "weights");
    test::write_file(dir_ / "tokenizer/spm", "pieces");
    write_manifest(folder());
  }
  std::string folder() const { return dir_.path().string(); }
  std::string operator/(const std::string& name) const { return dir_ / name; }

 private:
  test::TempDir dir_;
};

std::string manifest_with(const std::string& name) {
  return "{\"files\": {\"" + name + "\": {\"size\": 0, \"crc32\": \"00000000\"}}}";
}

}  // namespace

TEST_CASE("a manifest lists the size and checksum of every file") {
  const Checkpoint checkpoint;
  CHECK(test::read_file(checkpoint / "manifest.json") ==
        "{\n  \"format\": \"lmzoo-manifest\",\n  \"version\": 1,\n  \"files\": {\n"
        "    \"model\": {\n      \"size\": 7,\n      \"crc32\": \"1ad27358\"\n    },\n"
        "    \"tokenizer/spm\": {\n      \"size\": 6,\n      \"crc32\": \"b92d7472\"\n    }\n  }\n}\n");
  CHECK_NOTHROW(verify_manifest(checkpoint.folder()));
  write_manifest(checkpoint.folder());
  CHECK_NOTHROW(verify_manifest(checkpoint.folder()));
  test::write_file(checkpoint / "note.txt", "of the user");
  CHECK_NOTHROW(verify_manifest(checkpoint.folder()));
}

TEST_CASE("a folder that is not complete or not as it was is refused, naming the file") {
  const Checkpoint checkpoint;
  const std::string model = checkpoint / "model";
  SECTION("no manifest") {
    std::filesystem::remove(checkpoint / "manifest.json");
    CHECK_THROWS_WITH(verify_manifest(checkpoint.folder()),
                      checkpoint.folder() + ": has no manifest.json: it is not a complete folder");
  }
  SECTION("a missing file") {
    std::filesystem::remove(model);
    CHECK_THROWS_WITH(verify_manifest(checkpoint.folder()), model + ": no such file");
  }
  SECTION("a truncated file") {
    test::write_file(model, "weight");
    CHECK_THROWS_WITH(verify_manifest(checkpoint.folder()), model + ": has 6 bytes, the manifest says 7");
  }
  SECTION("a changed file") {
    test::write_file(model, "weighTs");
    CHECK_THROWS_WITH(verify_manifest(checkpoint.folder()),
                      Catch::StartsWith(model + ": is damaged: its CRC-32 is "));
  }
  SECTION("a link instead of a file") {
    std::filesystem::remove(model);
    std::filesystem::create_symlink(checkpoint / "tokenizer/spm", model);
    CHECK_THROWS_WITH(verify_manifest(checkpoint.folder()), model + ": is a link; the manifest lists a file");
  }
}

TEST_CASE("a manifest must list what is required of it, and may be of chosen files") {
  const Checkpoint checkpoint;
  CHECK_NOTHROW(verify_manifest(checkpoint.folder(), {"model", "tokenizer/spm"}));
  CHECK_THROWS_WITH(verify_manifest(checkpoint.folder(), {"model", "state"}),
                    checkpoint / "manifest.json" + ": does not list state");
  write_manifest(checkpoint.folder(), {"model"});
  CHECK_THROWS_WITH(verify_manifest(checkpoint.folder(), {"tokenizer/spm"}),
                    Catch::Contains("does not list"));
  test::write_file(checkpoint / "tokenizer/spm", "other");
  CHECK_NOTHROW(verify_manifest(checkpoint.folder(), {"model"}));
}

TEST_CASE("a manifest that leads out of its folder is refused") {
  const Checkpoint checkpoint;
  for (const char* name : {"../x", "/etc/passwd", "a/../../x", "..", "", ".", "manifest.json"}) {
    test::write_file(checkpoint / "manifest.json", manifest_with(name));
    CHECK_THROWS_WITH(
        verify_manifest(checkpoint.folder()),
        checkpoint / "manifest.json" + ": lists \"" + name + "\", which is not a file of its folder");
  }
}

TEST_CASE("a single flipped bit is found wherever it is") {
  const Checkpoint checkpoint;
  for (const char* name : {"model", "tokenizer/spm", "manifest.json"}) {
    const std::string good = test::read_file(checkpoint / name);
    for (size_t bit = 0; bit < good.size() * 8; bit += 3) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
      std::filesystem::remove(checkpoint /
                              name);  // some file systems wait for the disk when a file is written over
      test::write_file(checkpoint / name, bad);
      REQUIRE_THROWS_AS(verify_manifest(checkpoint.folder()), InputError);
    }
    test::write_file(checkpoint / name, good);
  }
  CHECK_NOTHROW(verify_manifest(checkpoint.folder()));
}

TEST_CASE("a manifest that was cut off or holds something else is refused") {
  const Checkpoint checkpoint;
  const std::string good = test::read_file(checkpoint / "manifest.json");
  for (size_t size = 0; size < good.size(); ++size) {
    test::write_file(checkpoint / "manifest.json", good.substr(0, size));
    REQUIRE_THROWS_AS(verify_manifest(checkpoint.folder()), InputError);
  }
  for (const char* text : {"[]",
                           "{}",
                           "{\"files\": 1}",
                           "{\"files\": {\"model\": 1}}",
                           "{\"files\": {\"model\": {\"size\": -1, \"crc32\": \"x\"}}}"}) {
    test::write_file(checkpoint / "manifest.json", text);
    REQUIRE_THROWS_AS(verify_manifest(checkpoint.folder()), InputError);
  }
}
