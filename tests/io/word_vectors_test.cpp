// Files of word vectors: both formats, in and out, and what is refused.
#include "io/word_vectors.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "support/catch.h"
#include "support/files.h"
#include "support/mutants.h"

using namespace lmzoo;

namespace {

// The file of gensim's word2vec binary without line ends, or of word2vec.c with them.
std::string binary(const WordVectors& table, const std::string& line_end) {
  std::string bytes = std::to_string(table.size()) + " " + std::to_string(table.width) + "\n";
  for (int64_t i = 0; i < table.size(); ++i) {
    const auto row = table.row(i);
    bytes += table.words[static_cast<size_t>(i)] + " ";
    bytes.append(reinterpret_cast<const char*>(row.data()), row.size_bytes());
    bytes += line_end;
  }
  return bytes;
}

WordVectors small() {
  return {.words = {"the",
                    "owl",
                    "\xC3\xBC"
                    "ber"},
          .values = {0.5F, -1.0F, 1e-30F, 0.1F, 3.25F, -2e10F},
          .width = 2};
}

ReadVectors read_vectors(const std::string& bytes, const ReadVectorsOptions& options = {}) {
  const test::TempDir dir;
  test::write_file(dir / "v", bytes);
  return read_word_vectors(dir / "v", options);
}

std::string written(const WordVectors& table, VectorFormat format) {
  const test::TempDir dir;
  write_word_vectors(dir / "v", {table.words, table.values, table.width}, format);
  return test::read_file(dir / "v");
}

bool same(const WordVectors& a, const WordVectors& b) {
  return a.words == b.words && a.width == b.width && a.values.size() == b.values.size() &&
         std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("vectors come back bit for bit from text and binary, and the format is recognized") {
  WordVectors table = small();
  const float limits[] = {std::numeric_limits<float>::max(),
                          std::numeric_limits<float>::denorm_min(),
                          -0.0F,
                          0.1F,
                          1.0F / 3,
                          -std::numeric_limits<float>::min()};
  table.values.assign(std::begin(limits), std::end(limits));
  for (const VectorFormat format : {VectorFormat::text, VectorFormat::binary}) {
    const ReadVectors back = read_vectors(written(table, format));
    CHECK(back.format == format);
    CHECK(back.duplicates == 0);
    CHECK(same(back.table, table));
  }
}

TEST_CASE("the binary files of word2vec.c and gensim are one format") {
  const WordVectors table = small();
  CHECK(written(table, VectorFormat::binary) == binary(table, "\n"));
  CHECK(same(read_vectors(binary(table, "\n")).table, table));
  CHECK(same(read_vectors(binary(table, "")).table, table));
}

TEST_CASE("text of word2vec.c, fastText and GloVe is read") {
  const std::vector<float> values{1, -0.5F, 0.25F, 1e-3F};
  const auto check = [&](const std::string& bytes, const std::vector<std::string>& words) {
    const ReadVectors found = read_vectors(bytes);
    CHECK(found.format == VectorFormat::text);
    CHECK(found.table.words == words);
    CHECK(found.table.width == 2);
    CHECK(found.table.values == values);
  };
  check("2 2\na 1 -0.5\nb 0.25 0.001\n", {"a", "b"});
  check("2 2\r\na 1.000000 -0.500000 \r\nb 0.250000 1e-3 \r\n\r\n", {"a", "b"});
  check(
      "\xEF\xBB\xBF"
      "2 2\na +1 -.5\nb\t.25\t1E-3",
      {"a", "b"});
  check("a 1 -0.5\nb 0.25 0.001", {"a", "b"});
  check(". . . 1 -0.5\nat x@y.z 0.25 0.001\n", {". . .", "at x@y.z"});
  check("2 2\n7 1 -0.5\n8 0.25 0.001\n", {"7", "8"});
  check("2 2\na\xC2\xA0z 1 -0.5\n\xE3\x80\x80 0.25 0.001\n", {"a\xC2\xA0z", "\xE3\x80\x80"});
}

TEST_CASE("a broken word is repaired and counted; of equal words the first stays; a limit stops early") {
  const ReadVectors found = read_vectors("3 1\nb\xFF 1\nb\xFE 2\nc 3\n");
  CHECK(found.table.words == std::vector<std::string>{"b\xEF\xBF\xBD", "c"});
  CHECK(found.table.values == std::vector<float>{1, 3});
  CHECK(found.replaced == 2);
  CHECK(found.duplicates == 1);
  CHECK(found.merged == 1);  // which was another word in the file
  CHECK(found.first_duplicate == "b\xEF\xBF\xBD");
  CHECK(read_vectors("3 1\na 1\na 2\nc 3\n").merged == 0);
  CHECK(read_vectors("3 1\na 1\nb 2\nc x\n", {.limit = 2}).table.words == std::vector<std::string>{"a", "b"});
}

TEST_CASE("rows without a usable word are skipped, counted and told, up to a hundred") {
  const ReadVectors found = read_vectors("5 1\na 1\n 2\nx\ty 3\nb 4\n\t5\n");
  CHECK(found.table.words == std::vector<std::string>{"a", "b"});
  CHECK(found.table.values == std::vector<float>{1, 4});
  CHECK(found.skipped == 3);
  CHECK_THAT(found.first_skipped, Catch::EndsWith("v:3: an empty word"));
  std::string many = "102 1\na 1\n";
  for (int i = 0; i < 101; ++i) {
    many += " 2\n";
  }
  CHECK_THROWS_WITH(read_vectors(many), Catch::Contains("v:103: an empty word, and 100 rows before"));
}

TEST_CASE("what is no file of word vectors is refused with its place") {
  struct Case {
    std::string bytes, message;
  };
  const std::string b = binary(small(), "\n");
  const auto [bytes, message] = GENERATE_COPY(values<Case>({
      {"", "begins neither with 'ROWS WIDTH' nor with a word and its numbers, but with ''"},
      {"hello world\n", "but with 'hello world'"},
      {"0 5\n", "holds no vectors (the first line says 0 rows)"},
      {"1 0\na\n", "width 0, but legal are 1 to 1000000"},
      {"1 99999999999\na 1\n", "width 99999999999, but legal"},
      {"9223372036854775807 1000000\na 1\n", "ends before: it is truncated"},
      {"2 2\na 1 2\n", "the first line says 2 vectors, but the file ends after 1"},
      {"1 2\na 1 2\nb 1 2\n", "v:3: the first line says 1 vectors, but more follow"},
      {"1 2\na 1\n", "v:2: expected a word and 2 numbers, but the line has 2 fields"},
      {"1 2\na 1 x\n", "v:2: expected a word and 2 numbers, but number 2 is 'x'"},
      {"1 2\na 1 2 3\n", "v:2: has more than 2 numbers"},
      {"1 2\n 1 2\n", "v:2: an empty word"},
      {"2 2\na 1 2\nb 1 nan\n", "v:3: value 2 of 'b' is not finite"},
      {"2 2\na 1 2\nb 1 1e39\n", "v:3: value 2 of 'b' is not finite"},
      {"2 2\na 1 2\n\nb 1 2\n", "v:3: expected a word and 2 numbers"},
      {"2 1\n" + std::string(1'000'000, 'x') + " 1\nb 1\n", "longer than"},
      {b.substr(0, b.size() - 3), "the file ends within vector 3 of 3"},
      {b.substr(0, 30), "the file ends within vector 3 of 3"},
      {b + "x", "the first line says 3 vectors, but more follow"},
      {"1 2\na " + std::string("\0\0\xC0\x7F\0\0\0\0", 8) + "\n", "value 1 of 'a' is not finite"},
  }));
  CHECK_THROWS_WITH(read_vectors(bytes), Catch::Contains(message));
}

TEST_CASE("damaged files are vectors or an InputError, in either format") {
  for (const VectorFormat format : {VectorFormat::text, VectorFormat::binary}) {
    const test::TempDir dir;
    const auto count = test::read_mutants(written(small(), format), 5'000, [&](const std::string& bytes) {
      test::write_file(dir / "v", bytes);
      const WordVectors table = read_word_vectors(dir / "v").table;
      REQUIRE(table.values.size() == table.words.size() * static_cast<size_t>(table.width));
    });
    CHECK(count.accepted > 0);
    CHECK(count.refused > 100);
  }
}

TEST_CASE("words that a file cannot hold are refused, and nothing is written") {
  const test::TempDir dir;
  const auto write = [&](std::vector<std::string> words) {
    const std::vector<float> values(words.size(), 1.0F);
    write_word_vectors(dir / "v", {words, values, 1}, VectorFormat::text);
  };
  CHECK_THROWS_WITH(write({"a", "b c"}), Catch::Contains("cannot hold the word 'b c' of row 2"));
  CHECK_THROWS_WITH(write({""}), Catch::Contains("is empty or has white space"));
  CHECK_THROWS_WITH(write({"a", "b", "a"}), Catch::Contains("'a' stands twice, in rows 1 and 3"));
  CHECK_FALSE(std::filesystem::exists(dir / "v"));
}

TEST_CASE("files that gensim wrote are read: text and binary of the same vectors") {
  const ReadVectors text = read_word_vectors(test::golden("io/gensim.txt"));
  const ReadVectors binary = read_word_vectors(test::golden("io/gensim.bin"));
  CHECK(text.format == VectorFormat::text);
  CHECK(binary.format == VectorFormat::binary);
  CHECK(text.table.size() == 7);
  CHECK(same(text.table, binary.table));
  CHECK(text.table.words.front() == "king");
}
