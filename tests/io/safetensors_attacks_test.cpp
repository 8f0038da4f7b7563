// Published attacks on safetensors readers and the rules they break. Sources: Trail of Bits' audit of
// safetensors (2023: polyglots, duplicate keys, huge headers), mlx#3363 and #3409 (offsets beyond the shape,
// beyond the file), audio.cpp#138 (an offset that underflows), safetensors-cpp (a shape whose product wraps),
// GGUF's CVE-2024-21802 and CVE-2025-53630 (the same in sizes), CVE-2017-12635 (duplicate keys),
// CVE-2022-45688 (nesting).
#include <cstring>
#include <ctime>

#include "io/safetensors.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

namespace {

std::string file_of(const std::string& header, const std::string& data, uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

// The refusal without the file's name.
std::string safetensors_refusal(const std::string& bytes) {
  const test::TempDir dir;
  const std::string path = dir / "m";
  test::write_file(path, bytes);
  const std::clock_t start = std::clock();
  std::string why = "accepted";
  try {
    const SafetensorsFile file(path);
  } catch (const InputError& error) {
    why = std::string(error.what()).substr(path.size() + 2);
  }
  CHECK(std::clock() - start < CLOCKS_PER_SEC);  // of the processor: tests run beside others
  return why;
}

std::string safetensors_refusal(const std::string& header, size_t data_bytes) {
  return safetensors_refusal(file_of(header, std::string(data_bytes, '\0'), header.size()));
}

std::string entry(const std::string& name,
                  const std::string& dtype,
                  const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":[)" + shape + R"(],"data_offsets":[)" +
         offsets + "]}";
}

// One tensor that would be right: 8 bytes.
const std::string kGood = entry("a", "F32", "2", "0,8");

}  // namespace

TEST_CASE("a plain file is accepted, padded or not") {
  CHECK(safetensors_refusal("{" + kGood + "}", 8) == "accepted");
  CHECK(safetensors_refusal("{" + kGood + "}   \n", 8) == "accepted");
  CHECK(safetensors_refusal("{}", 0) == "accepted");
  CHECK(safetensors_refusal("{\"__metadata__\":{\"a\":\"b\"}," + kGood + "}", 8) == "accepted");
  CHECK(safetensors_refusal("{\"__metadata__\":{}}", 0) == "accepted");
}

TEST_CASE("a header that cannot be there is refused before anything is allocated") {
  CHECK(safetensors_refusal("") == "not safetensors: has 0 bytes, the header's length alone takes 8");
  CHECK(safetensors_refusal("1234567") == "not safetensors: has 7 bytes, the header's length alone takes 8");
  CHECK(safetensors_refusal(file_of("{}", "", 3)) ==
        "not safetensors: the header would be 3 bytes long, but 2 follow");
  CHECK(safetensors_refusal(file_of("{}", "", 100'000'001)) ==
        "not safetensors: the header would be 100000001 bytes long, the limit is 100000000");
  CHECK(safetensors_refusal(file_of("{}", "", UINT64_MAX)) ==
        "not safetensors: the header would be 18446744073709551615 bytes long, the limit is 100000000");
  CHECK(safetensors_refusal(file_of("{}", "", UINT64_MAX - 7)).find("not safetensors: the header would be") ==
        0);  // 8 + n wraps
  CHECK(safetensors_refusal(file_of("", "", 0)) == "not safetensors: the header does not start with {");
  CHECK(safetensors_refusal("[]", 0) == "not safetensors: the header does not start with {");
  CHECK(safetensors_refusal(" {" + kGood + "}", 8) == "not safetensors: the header does not start with {");
  CHECK(safetensors_refusal("\xEF\xBB\xBF{}", 0) == "not safetensors: the header does not start with {");
  CHECK(safetensors_refusal("PK\x03\x04 a zip file, for example").find("not safetensors: ") == 0);
}

TEST_CASE("a header that is not the JSON it must be is refused with its column") {
  CHECK(safetensors_refusal("{" + kGood, 8).find("header:1:") == 0);
  CHECK(safetensors_refusal("{} x", 0).find("header:1:4: not valid JSON: ") == 0);
  CHECK(safetensors_refusal("{}{}", 0).find("header:1:3: not valid JSON: ") == 0);
  CHECK(safetensors_refusal(file_of(std::string("{}\0\0", 4), "", 4)) == "header:1:3: a NUL byte");
  CHECK(safetensors_refusal("{\"\xFF\":1}", 0).find("header:1:3: not valid JSON: ") == 0);
  CHECK(safetensors_refusal("{" + kGood + "," + kGood + "}", 8).find("duplicate key \"a\"") !=
        std::string::npos);
  CHECK(safetensors_refusal("{" + kGood + "," + entry("\\u0061", "F32", "2", "8,16") + "}", 16)
            .find("duplicate key \"a\"") != std::string::npos);
  CHECK(safetensors_refusal(R"({"a":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,8]}})", 8) ==
        "header:1:27: duplicate key \"dtype\"");
  CHECK(safetensors_refusal(R"({"__metadata__":{},"__metadata__":{}})", 0) ==
        "header:1:33: duplicate key \"__metadata__\"");
  CHECK(safetensors_refusal("{\"a\":" + std::string(100'000, '['), 0) ==
        "header:1:6: a list at \"a\", but a tensor is an object");
}

TEST_CASE("an entry that is not {dtype, shape, data_offsets} is refused by name") {
  CHECK(safetensors_refusal(R"({"a":{"dtype":"F32","shape":[2]}})", 8) ==
        "header:1:32: tensor \"a\" has no data_offsets");
  CHECK(safetensors_refusal(R"({"a":{}})", 8) == "header:1:7: tensor \"a\" has no dtype");
  CHECK(safetensors_refusal(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8) ==
        "header:1:41: tensor \"a\" has no shape");
  CHECK(safetensors_refusal("{" + entry("a", "F33", "2", "0,8") + "}", 8) ==
        "header:1:19: tensor \"a\" has the unknown dtype \"F33\"");
  CHECK(safetensors_refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", 8) ==
        "header:1:56: tensor \"a\" has the unknown key \"x\"");
  CHECK(safetensors_refusal("{" + entry("a", "F32", "2", "0,8,8") + "}", 8) ==
        "header:1:54: a number at \"data_offsets\", but data_offsets are two natural numbers");
  CHECK(safetensors_refusal("{" + entry("a", "F32", "2", "0") + "}", 8) ==
        "header:1:50: data_offsets of tensor \"a\" are not two numbers");
  CHECK(safetensors_refusal("{" + entry("a", "F32", "-2", "0,8") + "}", 8) ==
        "header:1:32: a negative number at \"shape\", but shape lists natural numbers");
  CHECK(safetensors_refusal("{" + entry("a", "F32", "2.0", "0,8") + "}", 8) ==
        "header:1:33: a fraction at \"shape\", but shape lists natural numbers");
  CHECK(safetensors_refusal("{" + entry("a", "F32", "[2]", "0,8") + "}", 8) ==
        "header:1:30: a list at \"shape\", but shape lists natural numbers");
  CHECK(safetensors_refusal("{" + entry("a", "F32", "true", "0,8") + "}", 8)
            .find("a truth value at \"shape\"") != std::string::npos);
  CHECK(safetensors_refusal("{" + entry("a", "F32", "null", "0,8") + "}", 8).find("null at \"shape\"") !=
        std::string::npos);
  CHECK(safetensors_refusal("{" + entry("a", "F32", "18446744073709551616", "0,8") + "}", 8)
            .find("a fraction at") != std::string::npos);
  CHECK(safetensors_refusal("{" + entry("a", "F32", "9223372036854775808", "0,8") + "}", 8)
            .find("has a dimension over 2^63") != std::string::npos);
  CHECK(safetensors_refusal(R"({"a":1})", 0) == "header:1:7: a number at \"a\", but a tensor is an object");
  CHECK(safetensors_refusal(R"({"__metadata__":{"a":1}})", 0).find("but a value of __metadata__ is a text") !=
        std::string::npos);
  CHECK(
      safetensors_refusal(R"({"__metadata__":{"a":{}}})", 0).find("but a value of __metadata__ is a text") !=
      std::string::npos);
  CHECK(safetensors_refusal(R"({"__metadata__":[]})", 0).find("but a tensor is an object") !=
        std::string::npos);
  CHECK(safetensors_refusal("{" + entry(std::string(1025, 'n'), "F32", "2", "0,8") + "}", 8) ==
        "header:1:1028: a name is longer than 1024 bytes");
  CHECK(safetensors_refusal("{" + entry("a", "U8", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "0,1") + "}", 1)
            .find("tensor \"a\" has over 16 dimensions") != std::string::npos);
}

TEST_CASE("data that belongs to no tensor, to two, or is not there is refused") {
  const auto two = [](const std::string& first, const std::string& second) {
    return "{" + entry("a", "U8", "4", first) + "," + entry("b", "U8", "4", second) + "}";
  };
  CHECK(safetensors_refusal(two("0,4", "4,8"), 8) == "accepted");
  CHECK(safetensors_refusal(two("4,8", "0,4"), 8) == "accepted");
  CHECK(safetensors_refusal(two("0,4", "0,4"), 4) ==
        "tensor \"b\" at [0, 4) overlaps the tensor before it, which ends at 4");
  CHECK(safetensors_refusal(two("0,4", "3,7"), 7) ==
        "tensor \"b\" at [3, 7) overlaps the tensor before it, which ends at 4");
  CHECK(safetensors_refusal(two("0,4", "5,9"), 9) ==
        "tensor \"b\" at [5, 9) leaves a hole after the tensor before it, which ends at 4");
  CHECK(safetensors_refusal("{" + entry("a", "U8", "4", "1,5") + "}", 5) ==
        "tensor \"a\" at [1, 5) leaves a hole after the tensor before it, which ends at 0");
  CHECK(safetensors_refusal("{" + kGood + "}", 9) == "1 bytes after the last tensor \"a\"");
  CHECK(safetensors_refusal("{}", 1) == "1 bytes after the last tensor");
  CHECK(safetensors_refusal("{" + kGood + "}", 7) ==
        "tensor \"a\" at [0, 8) is not within the 7 bytes of data");
  CHECK(safetensors_refusal("{" + entry("a", "U8", "4", "4,0") + "}", 4) ==
        "tensor \"a\" at [4, 0) is not within the 4 bytes of data");
  CHECK(safetensors_refusal("{" + entry("a", "U8", "4", "18446744073709551612,18446744073709551615") + "}", 4)
            .find("is not within the 4 bytes of data") != std::string::npos);
}

TEST_CASE("a shape that does not have the bytes of its offsets is refused, however the product wraps") {
  CHECK(safetensors_refusal("{" + entry("a", "F32", "3", "0,8") + "}", 8) ==
        "tensor \"a\" has 8 bytes, its shape and dtype need 12");
  CHECK(safetensors_refusal("{" + entry("a", "F32", "", "0,8") + "}", 8) ==
        "tensor \"a\" has 8 bytes, its shape and dtype need 4");
  CHECK(safetensors_refusal("{" + entry("a", "F4", "3", "0,2") + "}", 2) ==
        "tensor \"a\" has a shape whose bytes are over 2^60 or not whole");
  const std::string wraps = "tensor \"a\" has a shape whose bytes are over 2^60 or not whole";
  CHECK(safetensors_refusal("{" + entry("a", "F32", "4294967296,4294967296", "0,0") + "}", 0) == wraps);
  CHECK(safetensors_refusal("{" + entry("a", "U8", "2305843009213693952,8", "0,0") + "}", 0) == wraps);
  CHECK(safetensors_refusal("{" + entry("a", "F64", "4611686018427387905", "0,8") + "}", 8) == wraps);
  CHECK(safetensors_refusal("{" + entry("a", "F32", "9223372036854775807,9223372036854775807,0", "0,0") + "}",
                            0) == wraps);
  CHECK(safetensors_refusal("{" + entry("a", "F32", "0,9223372036854775807,9223372036854775807", "0,0") + "}",
                            0) == wraps);
  CHECK(safetensors_refusal("{" + entry("a", "F32", "0,1000", "0,0") + "}", 0) == "accepted");
  CHECK(safetensors_refusal("{" + entry("a", "F32", "0", "0,0") + "," + entry("b", "F32", "0", "0,0") + "}",
                            0) == "accepted");
  CHECK(safetensors_refusal("{" + entry("a", "F32", "0", "0,8") + "}", 8) ==
        "tensor \"a\" has 8 bytes, its shape and dtype need 0");
}

TEST_CASE("a name from a file cannot break out of its message") {
  CHECK(safetensors_refusal("{" + entry("a\\n\\u001b[31m", "F33", "2", "0,8") + "}", 8)
            .find("tensor \"a\\x0a\\x1b[31m\" has") != std::string::npos);
}
