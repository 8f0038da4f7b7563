#include "infer/decode/prompts.h"

#include <sstream>

#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;

TEST_CASE("a text, the lines of a file, or standard input") {
  const test::TempDir folder;
  test::write_file(folder / "p.txt", "one\n\n \t \ntwo\n\n  \n");
  std::istringstream typed("\xEF\xBB\xBFthree\r\n\r\nfour");
  CHECK(read_prompts("zero", "", typed) == std::vector<std::string>{"zero"});
  CHECK(read_prompts("", folder / "p.txt", typed) == std::vector<std::string>{"one", "", "", "two"});
  CHECK(read_prompts("", "", typed) == std::vector<std::string>{"three", "", "four"});
  CHECK(without_blanks({"a", "", " ", "b"}) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("no text, or two sources of it, are refused; broken bytes are replaced") {
  const test::TempDir folder;
  test::write_file(folder / "empty.txt", "\n");
  std::istringstream nothing;
  CHECK_THROWS_WITH(read_prompts("", "", nothing), "no text is given: use a flag, a file or standard input");
  CHECK_THROWS_WITH(read_prompts("", folder / "empty.txt", nothing), Catch::Contains("holds no text"));
  CHECK_THROWS_WITH(read_prompts("a", "b", nothing), "a text and a file are given; give one of them");
  CHECK(read_prompts("a\xff", "", nothing) == std::vector<std::string>{"a\uFFFD"});
}
