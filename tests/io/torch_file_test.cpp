// Real files of torch.save (tests/golden/torch_files.py), and what the format allows beyond them.
#include "io/torch_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/files.h"
#include "support/mutants.h"
#include "support/zip_builder.h"

using namespace lmzoo;

namespace {

std::string golden(const std::string& name) { return test::golden("io/torch/" + name); }

// Every tensor of `file` equals the one of that name in expected.safetensors.
void check_against_expected(const TorchFile& file, const std::string& prefix = "") {
  const SafetensorsFile expected(golden("expected.safetensors"));
  for (const TensorView& tensor : file.tensors()) {
    INFO(tensor.name);
    const TensorView* wanted = expected.find(prefix + tensor.name);
    REQUIRE(wanted != nullptr);
    CHECK(tensor.dtype == wanted->dtype);
    CHECK(tensor.shape == wanted->shape);
    CHECK(std::equal(tensor.bytes.begin(), tensor.bytes.end(), wanted->bytes.begin(), wanted->bytes.end()));
    CHECK(file.find(tensor.name) == &tensor);
  }
}

std::string torch_refusal(const std::string& path) {
  try {
    const TorchFile file(path);
  } catch (const InputError& error) {
    return std::string(error.what()).substr(path.size() + 2);
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a file of torch.save is read with every dtype, stride and sharing") {
  for (const char* name : {"state_dict.bin", "protocol5.bin", "dict.pt"}) {
    INFO(name);
    const TorchFile file(golden(name));
    CHECK(file.tensors().size() == 30);
    check_against_expected(file);
    CHECK(file.find("tied.a")->bytes.data() == file.find("tied.b")->bytes.data());
    CHECK(file.find("nothing") == nullptr);
    CHECK(file.tensors().front().name == "f32");
  }
}

TEST_CASE("a module's state_dict is read, alone or within a checkpoint") {
  for (const char* name : {"module.bin", "checkpoint.pt"}) {
    INFO(name);
    const TorchFile file(golden(name));
    CHECK(file.tensors().size() == 7);
    check_against_expected(file, "module.");
  }
}

TEST_CASE("files of torch 1.6, with zip64 records and without checksums are read") {
  for (const char* name : {"torch_1_6.bin", "zip64.bin"}) {
    INFO(name);
    const TorchFile file(golden(name));
    REQUIRE(file.tensors().size() == 1);
    CHECK(file.tensors()[0].name == "weight");
    CHECK(file.tensors()[0].shape == std::vector<int64_t>{2, 3});
    float last = 0;
    std::memcpy(&last, file.tensors()[0].bytes.data() + 20, sizeof last);
    CHECK(last == 5);
  }
  check_against_expected(TorchFile(golden("no_crc.bin")));
}

TEST_CASE("bytes of a row-major tensor are those of the file, and live while it is moved") {
  TorchFile first(golden("state_dict.bin"));
  const std::byte* before = first.find("f32")->bytes.data();
  const TorchFile second = std::move(first);
  CHECK(second.find("f32")->bytes.data() == before);
  check_against_expected(second);
}

TEST_CASE("what is no state_dict is refused with what it is") {
  CHECK(torch_refusal(golden("legacy.bin")).find("is in PyTorch's format before 1.6") == 0);
  CHECK(torch_refusal(golden("tensor.pt")) ==
        "data.pkl: holds a tensor, not a state_dict (names and tensors)");
  CHECK(torch_refusal(golden("numpy.pt"))
            .find("._reconstruct does not belong into a file of tensors; nothing of it was run") !=
        std::string::npos);
  CHECK(torch_refusal(golden("whole_module.pt"))
            .find("the name torch.nn.modules.container.Sequential does not belong") != std::string::npos);
  CHECK(torch_refusal(golden("expected.safetensors")) == "not a PyTorch file: it is no zip file");
  CHECK(torch_refusal(golden("nothing.bin")) == "no such file");
}

TEST_CASE("another byte order, TorchScript and a missing data.pkl are refused") {
  const test::TempDir dir;
  const auto refused = [&](std::vector<test::ZipPart> parts) {
    test::write_file(dir / "m.bin", test::build_zip({.parts = std::move(parts)}));
    return torch_refusal(dir / "m.bin");
  };
  const std::string pickle = test::pickle::file("}");
  CHECK(refused({{.name = "a/data.pkl", .bytes = pickle}}) == "accepted");
  CHECK(refused({{.name = "a/byteorder", .bytes = "little"}, {.name = "a/data.pkl", .bytes = pickle}}) ==
        "accepted");
  CHECK(refused({{.name = "a/byteorder", .bytes = "big"}, {.name = "a/data.pkl", .bytes = pickle}}) ==
        "has the byte order \"big\"; read is \"little\"");
  CHECK(refused({{.name = "a/constants.pkl", .bytes = pickle}, {.name = "a/data.pkl", .bytes = pickle}}) ==
        "is a TorchScript program, not a file of tensors");
  CHECK(refused({{.name = "a/data", .bytes = pickle}}) ==
        "not a PyTorch file: the zip file has no a/data.pkl");
  CHECK(refused({{.name = "a/data.pkl", .bytes = pickle}, {.name = "b/data.pkl", .bytes = pickle}}) ==
        "zip: entry \"b/data.pkl\" is not in one folder with the others");
  CHECK(refused({}).find("not a PyTorch file: ") == 0);
}

TEST_CASE("a damaged file is tensors within bounds or an InputError") {
  const test::TempDir dir;
  for (const char* name : {"state_dict.bin", "protocol5.bin", "torch_1_6.bin", "zip64.bin"}) {
    INFO(name);
    const test::MutantCount count =
        test::read_mutants(test::read_file(golden(name)), 3'000, [&](const std::string& bytes) {
          std::filesystem::remove(dir / "m");
          std::ofstream(dir / "m", std::ios::binary) << bytes;
          const TorchFile file(dir / "m");
          unsigned sum = 0;
          for (const TensorView& tensor : file.tensors()) {
            for (const std::byte byte : tensor.bytes) {
              sum += std::to_integer<unsigned>(byte);
            }
          }
          REQUIRE(sum < 255 * 40 * bytes.size());
        });
    CHECK(count.refused > 1'000);
  }
}
