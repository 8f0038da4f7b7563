#include "io/tensor_files.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

namespace {

namespace fs = std::filesystem;

// Five tensors of 400, 400, 40, 4 and 0 bytes.
struct Tensors {
  std::vector<float> values = std::vector<float>(100);
  Tensors() { std::iota(values.begin(), values.end(), 1.0f); }

  std::vector<TensorView> views() const {
    const auto bytes = std::as_bytes(std::span(values));
    return {{"layer.1.weight", Dtype::f32, {10, 10}, bytes},
            {"layer.0.weight", Dtype::f32, {100}, bytes},
            {"bias", Dtype::f16, {20}, bytes.first(40)},
            {"scalar", Dtype::f32, {}, bytes.first(4)},
            {"empty", Dtype::f32, {0, 3}, {}}};
  }
};

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void check_same(const TensorFiles& files, const std::vector<TensorView>& wanted) {
  CHECK(files.tensors().size() == wanted.size());
  for (const TensorView& tensor : wanted) {
    INFO(tensor.name);
    const TensorView* found = files.find(tensor.name);
    REQUIRE(found != nullptr);
    CHECK(found->dtype == tensor.dtype);
    CHECK(found->shape == tensor.shape);
    CHECK(std::equal(found->bytes.begin(), found->bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
  }
}

}  // namespace

TEST_CASE("a small checkpoint is one file, a larger one several with an index") {
  const test::TempDir dir;
  const Tensors tensors;
  const std::string folder = dir / "run";
  write_sharded(folder, tensors.views());
  CHECK(names_in(folder) == std::vector<std::string>{"model.safetensors"});
  check_same(TensorFiles::open(folder), tensors.views());

  write_sharded(folder, tensors.views(), 450);
  CHECK(names_in(folder) == std::vector<std::string>{"model-00001-of-00002.safetensors",
                                                     "model-00002-of-00002.safetensors",
                                                     "model.safetensors.index.json"});
  const TensorFiles files = TensorFiles::open(folder);
  check_same(files, tensors.views());
  CHECK(files.files().size() == 2);
  CHECK(files.source("bias") == folder + "/model-00001-of-00002.safetensors");
  CHECK(files.source("layer.1.weight") == folder + "/model-00002-of-00002.safetensors");
  CHECK(files.path() == folder);
  CHECK(files.find("nothing") == nullptr);
  CHECK_THROWS_AS(files.source("nothing"), std::logic_error);

  write_sharded(folder, tensors.views());  // back to one file: no trace of the shards
  CHECK(names_in(folder) == std::vector<std::string>{"model.safetensors"});
}

TEST_CASE("shards are the same whatever the order of the tensors, and the index counts their bytes") {
  const test::TempDir dir;
  const Tensors tensors;
  std::vector<TensorView> reversed = tensors.views();
  std::reverse(reversed.begin(), reversed.end());
  write_sharded(dir / "a", tensors.views(), 450, {{"step", "7"}});
  write_sharded(dir / "b", reversed, 450, {{"step", "7"}});
  REQUIRE(names_in(dir / "a") == names_in(dir / "b"));
  for (const std::string& name : names_in(dir / "a")) {
    CHECK(test::read_file(dir / ("a/" + name)) == test::read_file(dir / ("b/" + name)));
  }
  const Json index = read_json(dir / "a/model.safetensors.index.json");
  CHECK(index["metadata"]["total_size"] == 844);
  CHECK(index["weight_map"]["layer.1.weight"] == "model-00002-of-00002.safetensors");
  CHECK(index["weight_map"].size() == 5);
}

TEST_CASE("a tensor larger than a shard gets one of its own, and files of others stay") {
  const test::TempDir dir;
  const Tensors tensors;
  test::write_file(dir / "config.json", "{}");
  test::write_file(dir / "model-1-of-2.safetensors", "somebody else's");
  write_sharded(dir.path().string(), tensors.views(), 1);
  CHECK(fs::exists(dir / "model-00004-of-00004.safetensors"));
  CHECK(fs::exists(dir / "config.json"));
  CHECK(fs::exists(dir / "model-1-of-2.safetensors"));
  check_same(TensorFiles::open(dir.path().string()), tensors.views());
  check_same(TensorFiles::open(dir / "model.safetensors.index.json"), tensors.views());
}

TEST_CASE("a file is told apart by content, a folder by the names that transformers knows") {
  const test::TempDir dir;
  const Tensors tensors;
  const std::string torch = test::read_file(test::golden("io/torch/module.bin"));
  CHECK_FALSE(TensorFiles::is_in(dir.path().string()));
  test::write_file(dir / "weights", torch);
  CHECK(TensorFiles::open(dir / "weights").find("0.weight") != nullptr);
  test::write_file(dir / "pytorch_model.bin", torch);
  CHECK(TensorFiles::is_in(dir.path().string()));
  CHECK(TensorFiles::open(dir.path().string()).find("0.weight") != nullptr);
  write_safetensors(dir / "model.safetensors", tensors.views(), {{"step", "7"}});
  const TensorFiles files = TensorFiles::open(dir.path().string());
  CHECK(files.find("bias") != nullptr);
  CHECK(files.metadata().at("step") == "7");
  CHECK(files.files() == std::vector<std::string>{dir / "model.safetensors"});
}

TEST_CASE("shards of PyTorch are read by their index") {
  const test::TempDir dir;
  test::write_file(dir / "one.bin", test::read_file(test::golden("io/torch/module.bin")));
  test::write_file(dir / "two.bin", test::read_file(test::golden("io/torch/torch_1_6.bin")));
  test::write_file(
      dir / "pytorch_model.bin.index.json",
      R"({"metadata": {"total_size": 1}, "weight_map": {"0.weight": "one.bin", "weight": "two.bin"}})");
  const TensorFiles files = TensorFiles::open(dir.path().string());
  CHECK(files.tensors().size() == 8);  // those that the index does not list, too
  CHECK(files.source("weight") == dir / "two.bin");
}

TEST_CASE("what has no tensors is refused with what was looked for") {
  const test::TempDir dir;
  CHECK_THROWS_WITH(TensorFiles::open(dir.path().string()),
                    Catch::Contains("has no model.safetensors, no pytorch_model.bin"));
  CHECK_THROWS_WITH(TensorFiles::open(dir / "nothing"), Catch::Contains("no such file"));
  CHECK_THROWS_WITH(TensorFiles::open(dir / "nothing.bin"), Catch::Contains("no such file"));
}
