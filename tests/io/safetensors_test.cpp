#include "io/safetensors.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "support/catch.h"
#include "support/files.h"
#include "support/mutants.h"

using namespace lmzoo;

namespace {

using Shape = std::vector<int64_t>;

template <class T>
TensorView view(const std::string& name, Dtype dtype, const Shape& shape, const std::vector<T>& values) {
  return {name, dtype, shape, std::as_bytes(std::span(values))};
}

// The tensors of tests/golden/io/reference.py.
struct Reference {
  std::vector<float> b{1.5f, -2.0f, 0.0f, 3.0f, std::numeric_limits<float>::infinity(), 0.25f};
  std::vector<float> a{0.5f};
  std::vector<int64_t> ids{1, -2, 3};
  std::vector<int64_t> scalar{7};
  std::vector<float> empty;
  std::vector<uint16_t> half{0x3C00, 0xBC00, 0x3800};
  std::vector<uint8_t> mask{1, 0, 1};

  std::vector<TensorView> tensors() const {
    return {view("b.weight", Dtype::f32, {2, 3}, b),
            view("a.weight", Dtype::f32, {1}, a),
            view("ids", Dtype::i64, {3}, ids),
            view("empty", Dtype::f32, {0, 4}, empty),
            view("scalar", Dtype::i64, {}, scalar),
            view("half", Dtype::f16, {3}, half),
            view("mask", Dtype::boolean, {3}, mask)};
  }
};

bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace

TEST_CASE("a file of the safetensors package is read as it was written") {
  const SafetensorsFile file(test::golden("io/reference.safetensors"));
  const Reference reference;
  CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}});
  CHECK(file.tensors().size() == 7);
  for (const TensorView& wanted : reference.tensors()) {
    INFO(wanted.name);
    const TensorView* found = file.find(wanted.name);
    REQUIRE(found != nullptr);
    CHECK(found->dtype == wanted.dtype);
    CHECK(found->shape == wanted.shape);
    CHECK(same_bytes(found->bytes, wanted.bytes));
  }
  CHECK(file.find("absent") == nullptr);
  CHECK(file.find("") == nullptr);
}

TEST_CASE("the same tensors are written to the same bytes as the safetensors package writes") {
  const test::TempDir dir;
  write_safetensors(dir / "out.safetensors", Reference().tensors());
  CHECK(test::read_file(dir / "out.safetensors") ==
        test::read_file(test::golden("io/reference.safetensors")));
}

TEST_CASE("what is written is read again, aligned, in the order of alignment and name") {
  const test::TempDir dir;
  const std::string path = dir / "run/model.safetensors";
  const std::map<std::string, std::string> metadata{
      {"format", "lmzoo"}, {"step", "17"}, {"quote\"\n", "\xC3\xA9"}};
  write_safetensors(path, Reference().tensors(), metadata);
  SafetensorsFile first(path);
  const SafetensorsFile file = std::move(first);
  CHECK(file.metadata() == metadata);
  std::vector<std::string> names;
  for (const TensorView& tensor : file.tensors()) {
    names.push_back(tensor.name);
    const auto address = reinterpret_cast<uintptr_t>(tensor.bytes.data());
    CHECK(address % std::max<size_t>(bits_of(tensor.dtype) / 8, 1) == 0);
  }
  CHECK(names == std::vector<std::string>{"ids", "scalar", "a.weight", "b.weight", "empty", "half", "mask"});
  float value = 0;
  std::memcpy(&value, file.find("b.weight")->bytes.data() + 4, sizeof value);
  CHECK(value == -2.0f);
}

TEST_CASE("a file without tensors, with large ones and every dtype can be written and read") {
  const test::TempDir dir;
  write_safetensors(dir / "none", {});
  CHECK(SafetensorsFile(dir / "none").tensors().empty());
  const std::vector<uint8_t> large(5'000'000, 7);
  std::vector<TensorView> tensors{view("large", Dtype::u8, {5'000'000}, large)};
  for (int i = 0; i <= static_cast<int>(Dtype::u64); ++i) {
    const auto dtype = static_cast<Dtype>(i);
    tensors.push_back(
        {std::string(name_of(dtype)), dtype, {4, 2}, std::as_bytes(std::span(large)).first(bits_of(dtype))});
  }
  write_safetensors(dir / "all", tensors);
  const SafetensorsFile file(dir / "all");
  CHECK(file.tensors().size() == tensors.size());
  CHECK(same_bytes(file.find("large")->bytes, tensors[0].bytes));
  CHECK(file.find("F6_E2M3")->bytes.size() == 6);
}

TEST_CASE("writing over a file leaves readers of the old one their bytes") {
  const test::TempDir dir;
  const std::vector<float> one{1}, two{2};
  write_safetensors(dir / "m", std::vector{view("x", Dtype::f32, {1}, one)});
  const SafetensorsFile old(dir / "m");
  write_safetensors(dir / "m", std::vector{view("x", Dtype::f32, {1}, two)});
  float value = 0;
  std::memcpy(&value, old.find("x")->bytes.data(), sizeof value);
  CHECK(value == 1);
}

TEST_CASE("a tensor of a wrong size, a name given twice or reserved is a programming error") {
  const test::TempDir dir;
  const std::vector<float> two{1, 2};
  const std::vector twice{
      view("x", Dtype::f32, {2}, two), view("y", Dtype::f64, {1}, two), view("x", Dtype::f32, {2}, two)};
  CHECK_THROWS_AS(write_safetensors(dir / "m", twice), std::logic_error);
  const std::vector mixed{view("x", Dtype::f32, {2}, two), view("x", Dtype::f64, {1}, two)};
  CHECK_THROWS_AS(write_safetensors(dir / "m", mixed), std::logic_error);
  CHECK_THROWS_AS(write_safetensors(dir / "m", std::vector{view("x", Dtype::f32, {3}, two)}),
                  std::logic_error);
  CHECK_THROWS_AS(write_safetensors(dir / "m", std::vector{view("__metadata__", Dtype::f32, {2}, two)}),
                  std::logic_error);
  CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("a damaged file is tensors within the file or an InputError") {
  const test::TempDir dir;
  const std::string good = test::read_file(test::golden("io/reference.safetensors"));
  const test::MutantCount count = test::read_mutants(good, 10'000, [&](const std::string& bytes) {
    std::filesystem::remove(dir / "m");  // some file systems wait for the disk when a file is written over
    std::ofstream(dir / "m", std::ios::binary) << bytes;
    const SafetensorsFile file(dir / "m");
    size_t total = 0;
    unsigned sum = 0;
    for (const TensorView& tensor : file.tensors()) {
      total += tensor.bytes.size();
      for (const std::byte byte : tensor.bytes) {
        sum += std::to_integer<unsigned>(byte);
      }
    }
    REQUIRE(total < bytes.size());
    REQUIRE(sum <= 255 * total);
  });
  CHECK(count.accepted > 100);
  CHECK(count.refused > 5'000);
}
