// Indices of checkpoints that lie. Each must be refused with the tensor and the file it names.
#include <ctime>
#include <filesystem>

#include "io/tensor_files.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

namespace {

namespace fs = std::filesystem;

struct IndexAttack {
  const char* source;
  std::string index;
  std::string refusal;  // a part of it; "" means accepted
};

// A folder with two right files: a.safetensors has "x" and "y", b.safetensors has "z".
class Folder {
 public:
  Folder() {
    static const std::vector<float> kValues(4, 1.0f);
    const auto bytes = std::as_bytes(std::span(kValues));
    write("a", {{"x", Dtype::f32, {4}, bytes}, {"y", Dtype::f32, {2, 2}, bytes}});
    write("b", {{"z", Dtype::f32, {4}, bytes}});
  }
  void write(const std::string& name, const std::vector<TensorView>& tensors) {
    write_safetensors(path(name + ".safetensors"), tensors);
  }
  std::string path(const std::string& name) const { return dir_ / ("model/" + name); }
  std::string outside(const std::string& name) const { return dir_ / name; }

  std::string refusal(const std::string& index) const {
    test::write_file(path("model.safetensors.index.json"), index);
    const std::clock_t start = std::clock();
    std::string why;
    try {
      TensorFiles::open(path(""));
    } catch (const InputError& error) {
      why = error.what();
      CHECK(why.find('\n') == std::string::npos);
    }
#if defined(__SANITIZE_ADDRESS__)
    constexpr int kSeconds = 10;
#else
    constexpr int kSeconds = 1;
#endif
    CHECK(std::clock() - start < kSeconds * CLOCKS_PER_SEC);  // of the processor: tests run beside others
    return why;
  }

 private:
  test::TempDir dir_;
};

std::string map(const std::string& entries) { return "{\"weight_map\": {" + entries + "}}"; }
const std::string kRight = R"("x": "a.safetensors", "y": "a.safetensors", "z": "b.safetensors")";
std::string with_x_in(const std::string& file) { return map("\"x\": \"" + file + "\""); }

void check_indexes(const Folder& folder, const std::vector<IndexAttack>& attacks) {
  for (const IndexAttack& attack : attacks) {
    INFO(attack.source);
    if (attack.refusal.empty()) {
      CHECK(folder.refusal(attack.index).empty());
    } else {
      CHECK_THAT(folder.refusal(attack.index), Catch::Contains(attack.refusal));
    }
  }
}

}  // namespace

TEST_CASE("a right index is accepted, whatever else it says") {
  check_indexes(
      Folder(),
      {
          {"plain", map(kRight), ""},
          {"transformers compares no total_size",
           "{\"metadata\": {\"total_size\": 1e300, \"more\": [{\"weight_map\": 3}]}, \"weight_map\": {" +
               kRight + "}}",
           ""},
          {"tensors that are not listed", map(R"("x": "a.safetensors")"), ""},
      });
}

TEST_CASE("a file of an index is a plain name in its folder") {
  const std::string plain = "but files of an index are plain names in its folder";
  check_indexes(Folder(),
                {
                    {"zip slip (Snyk 2018)",
                     with_x_in("../a.safetensors"),
                     "tensor \"x\" is said to be in \"../a.safetensors\", " + plain},
                    {"CVE-2026-12479: a path in a name", with_x_in("sub/a.safetensors"), plain},
                    {"CVE-2023-5245: an absolute path", with_x_in("/etc/passwd"), plain},
                    {"a path of Windows", with_x_in("..\\\\a"), plain},
                    {"a drive of Windows", with_x_in("c:a"), plain},
                    {"a URL", with_x_in("http://x"), plain},
                    {"the folder", with_x_in("."), plain},
                    {"the folder above", with_x_in(".."), plain},
                    {"a hidden file", with_x_in(".ssh"), plain},
                    {"no name", with_x_in(""), plain},
                    {"CWE-158: a NUL", with_x_in("a.safetensors\\u0000.txt"), plain},
                    {"a line end in a message", with_x_in("a\\nb"), plain},
                    {"a name of 2000 bytes", with_x_in(std::string(2000, 'a')), plain},
                    {"the index itself", with_x_in("model.safetensors.index.json"), "not safetensors: "},
                    {"a device", with_x_in("null"), "names the file \"null\", which is missing"},
                });
}

TEST_CASE("a tensor is in the file that the index names, and in no other") {
  Folder folder;
  check_indexes(
      folder,
      {
          {"torchtitan PR#3764: a tensor that is nowhere",
           map(R"("w": "a.safetensors", "z": "b.safetensors")"),
           "tensor \"w\" is not in \"a.safetensors\" nor another file"},
          {"in the other file",
           map(R"("x": "b.safetensors", "y": "a.safetensors")"),
           "tensor \"x\" is not in \"b.safetensors\" but in "},
          {"a file that is missing",
           map(kRight + R"(, "w": "c.safetensors")"),
           "names the file \"c.safetensors\", which is missing"},
          {"CVE-2017-12635: a key twice", map(kRight + R"(, "x": "b.safetensors")"), "duplicate key \"x\""},
          {"CVE-2017-12635: two maps",
           "{\"weight_map\": {}, \"weight_map\": {" + kRight + "}}",
           "duplicate key \"weight_map\""},
      });
  static const std::vector<float> kValues(4, 2.0f);
  folder.write("b", {{"x", Dtype::f32, {4}, std::as_bytes(std::span(kValues))}});
  CHECK_THAT(folder.refusal(map(R"("x": "a.safetensors", "y": "b.safetensors")")),
             Catch::Contains("tensor \"x\" is in two files: "));
  test::write_file(folder.path("b.safetensors"), "");
  CHECK_THAT(folder.refusal(map(kRight)), Catch::Contains("b.safetensors: not safetensors: has 0 bytes"));
}

TEST_CASE("a link out of the folder is refused, one within Hugging Face's cache is not") {
  const Folder folder;
  fs::copy(folder.path("b.safetensors"), folder.outside("secret.safetensors"));
  fs::remove(folder.path("b.safetensors"));
  fs::create_symlink(folder.outside("secret.safetensors"), folder.path("b.safetensors"));
  CHECK_THAT(folder.refusal(map(kRight)),
             Catch::Contains("names the file \"b.safetensors\", which is a link out of the folder"));
  fs::remove(folder.path("b.safetensors"));
  fs::create_symlink("b.safetensors", folder.path("b.safetensors"));
  CHECK_THAT(folder.refusal(map(kRight)), Catch::Contains("which is missing"));

  const test::TempDir cache;  // models--x/snapshots/REVISION/FILE -> ../../blobs/HASH
  fs::create_directories(cache / "snapshots/r");
  fs::create_directories(cache / "blobs");
  fs::copy(folder.path("a.safetensors"), cache / "blobs/0123");
  fs::create_symlink("../../blobs/0123", cache / "snapshots/r/a.safetensors");
  test::write_file(cache / "snapshots/r/model.safetensors.index.json", with_x_in("a.safetensors"));
  CHECK(TensorFiles::open(cache / "snapshots/r").tensors().size() == 2);
}

TEST_CASE("JSON that is no index is refused") {
  std::string many = "\"t0\": \"a.safetensors\"";
  for (int i = 1; i < 300'000; ++i) {
    many += ",\"t" + std::to_string(i) + "\":\"a.safetensors\"";
  }
  check_indexes(Folder(),
                {
                    {"no object", "[]", "a list, but an index is an object"},
                    {"a number", "3", "a number, but an index is an object"},
                    {"no weight_map", "{}", "it has no weight_map, or an empty one"},
                    {"an empty one", map(""), "it has no weight_map, or an empty one"},
                    {"a list for a map",
                     "{\"weight_map\": []}",
                     "a list at \"weight_map\", but weight_map is an object"},
                    {"a text for a map", "{\"weight_map\": \"a\"}", "a text at \"weight_map\""},
                    {"a number for a file",
                     map("\"x\": 3"),
                     "a number at \"x\", but weight_map is an object that gives"},
                    {"an object for a file", map("\"x\": {}"), "an object at \"x\""},
                    {"null for a file", map("\"x\": null"), "null at \"x\""},
                    {"CVE-2022-45688: deep nesting",
                     "{\"metadata\": " + std::string(100'000, '['),
                     "nested over 16 deep"},
                    {"CVE-2023-5072: deep nesting of objects",
                     [] {
                       std::string deep;
                       for (int i = 0; i < 10'000; ++i) {
                         deep += "{\"a\":";
                       }
                       return deep;
                     }(),
                     "nested over 16 deep"},
                    {"300,000 tensors", map(many), "over 262144 tensors"},
                    {"values without end",
                     "{\"metadata\": [" + std::string(2'000'000, '0').replace(1, 1, ",") + "]}",
                     ":1:"},
                    {"a NUL after the end", map(kRight) + std::string(1, '\0') + "x", "a NUL byte"},
                    {"bytes after the end", map(kRight) + "{}", "not valid JSON"},
                    {"a long name",
                     map("\"" + std::string(2000, 'n') + "\": \"a.safetensors\""),
                     "a name is longer than 1024 bytes"},
                    {"truncated", map(kRight).substr(0, 40), "not valid JSON"},
                });
}
