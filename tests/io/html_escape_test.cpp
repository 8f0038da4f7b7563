#include "io/html_escape.h"

#include "support/catch.h"

using namespace lmzoo;

TEST_CASE("text cannot leave its place in a page") {
  CHECK(html_escape("<b a=\"1\">&'\x01") == "&lt;b a=&quot;1&quot;&gt;&amp;&#39;\uFFFD");
  CHECK(html_escape("two\nlines\tand é") == "two\nlines\tand é");
}
