#include "base/utf8.h"

#include "support/catch.h"

using namespace lmzoo;

TEST_CASE("every code point survives writing and reading, and only those that exist") {
  for (char32_t value = 0; value <= 0x110005; ++value) {
    std::string text;
    append_utf8(text, value);
    const CodePoint point = code_point_at(text, 0);
    const bool exists = value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
    const bool right = point.valid && point.value == (exists ? value : kReplacement) &&
                       point.length == static_cast<int>(text.size());
    if (!right) {
      FAIL("code point " << static_cast<uint32_t>(value));
    }
  }
}

TEST_CASE("broken UTF-8 is found at its first byte") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain, and long enough for eight bytes at a time"));
  CHECK(is_utf8("gr\xC3\xBC\xC3\x9F\x65 \xE2\x82\xAC \xF0\x9F\x98\x80"));
  CHECK(find_invalid_utf8("0123456789\xC3") == 10);   // truncated
  CHECK(find_invalid_utf8("ab\x80") == 2);            // continuation without a lead
  CHECK(find_invalid_utf8("\xC0\xAF") == 0);          // overlong
  CHECK(find_invalid_utf8("\xE0\x80\x80") == 0);      // overlong
  CHECK(find_invalid_utf8("\xED\xA0\x80") == 0);      // surrogate
  CHECK(find_invalid_utf8("\xF4\x90\x80\x80") == 0);  // over U+10FFFF
  CHECK(find_invalid_utf8("\xF5\x80\x80\x80") == 0);
  CHECK(find_invalid_utf8("x\xE2\x82z") == 1);
}

TEST_CASE("broken sequences and NULs are replaced and counted, the rest is kept") {
  std::string text = std::string("a\0b", 3) +
                     "\xC3(\xE2\x82"
                     "c\xFF\xFF"
                     "\xC3\xA9";
  CHECK(replace_invalid_utf8(text) == 5);
  const std::string r = "\xEF\xBF\xBD";
  CHECK(text == "a" + r + "b" + r + "(" + r + "c" + r + r + "\xC3\xA9");
  CHECK(is_utf8(text));
  const std::string before = text;
  CHECK(replace_invalid_utf8(text) == 0);
  CHECK(text == before);
}

TEST_CASE("an offset becomes line and column") {
  const std::string text = "ab\ncd\n\nx";
  CHECK(locate(text, 0, "f") == Location{"f", 1, 1});
  CHECK(locate(text, 2, "f") == Location{"f", 1, 3});
  CHECK(locate(text, 3, "f") == Location{"f", 2, 1});
  CHECK(locate(text, 7, "f") == Location{"f", 4, 1});
  CHECK(locate(text, 99, "f") == Location{"f", 4, 2});
}

TEST_CASE("untrusted text in a message stays on its line and short") {
  CHECK(printable("plain \xC3\xA9") == "plain \xC3\xA9");
  CHECK(printable(std::string("a\n\0\x1B[", 5)) == "a\\x0a\\x00\\x1b[");
  CHECK(printable("\xFF\xE2\x80\xA8") == "\\xff\\xe2\\x80\\xa8");
  CHECK(printable(std::string(1000, 'x'), 5) == "xxxxx...");
}
