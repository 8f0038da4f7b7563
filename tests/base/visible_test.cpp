#include "base/visible.h"

#include "base/utf8.h"
#include "support/catch.h"

using namespace lmzoo;

TEST_CASE("nothing that steers a terminal gets through, and line breaks and tabs stay") {
  CHECK(visible("a\tb\nc \xC3\xBC \xF0\x9F\x98\x80") == "a\tb\nc \xC3\xBC \xF0\x9F\x98\x80");
  CHECK(visible("\x1b[2J\r\x07") == "\\x1b[2J\\x0d\\x07");
  CHECK(visible("\x7F\xC2\x9B") == "\\x7f\\xc2\\x9b");  // DEL, and CSI as C1
  CHECK(visible("\xE2\x80\xAE"
                "gpj.exe") == "\\xe2\\x80\\xaegpj.exe");  // right to left from here
  CHECK(visible("\xE2\x81\xA6\xE2\x80\x8F") == "\\xe2\\x81\\xa6\\xe2\\x80\\x8f");
  CHECK(visible("\xFF\xC3") == "\\xff\\xc3");
  CHECK(visible("\x9B"
                "31m") == "\\x9b31m");  // C1 as one byte is no UTF-8
}

TEST_CASE("a value quoted in a message is made visible by the same rule") {
  CHECK(printable("\xE2\x80\xAE\xC2\x9B\x1b") == "\\xe2\\x80\\xae\\xc2\\x9b\\x1b");
}

TEST_CASE("a message is one line of bounded length that keeps its place and its advice") {
  CHECK(message_line("f.yaml:1:2: a\nb\x1b") == "f.yaml:1:2: a b\\x1b");
  const std::string long_value(70'000, 'x');
  const std::string line =
      message_line("f.yaml:1:2: name: '" + long_value + "' is no name (did you mean 'y'?)");
  CHECK(line.size() < 2 * kMessageBytes);
  CHECK_THAT(line, Catch::StartsWith("f.yaml:1:2: name: 'xxx"));
  CHECK_THAT(line, Catch::EndsWith("xxx' is no name (did you mean 'y'?)"));
  std::string wide;
  while (wide.size() < 70'000) {
    wide += "\xE2\x82\xAC";
  }
  CHECK(message_line(wide).find("\\x") == std::string::npos);  // no cut within a character
}
