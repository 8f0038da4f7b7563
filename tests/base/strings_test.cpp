#include "base/strings.h"

#include "support/catch.h"

using namespace lmzoo;

TEST_CASE("the nearest name is suggested, and none that is far") {
  const std::vector<std::string> known{"width", "heads", "layers", "labels", "label"};
  CHECK(suggestion("widht", known) == " (did you mean 'width'?)");
  CHECK(suggestion("labes", known) == " (did you mean 'labels'?)");
  CHECK(suggestion("labesl", {"label", "labels"}) == " (did you mean 'labels'?)");
  CHECK(suggestion("banana", known).empty());
  CHECK(suggestion("x", {}).empty());
}

TEST_CASE("a suggestion costs no more for names and lists that no person wrote") {
  // The table of two such names would have 10^12 entries.
  const std::string giant(1'000'000, 'a');
  CHECK(suggestion(giant + "b", {giant}).empty());
  CHECK(suggestion("width", {giant, "widht"}) == " (did you mean 'widht'?)");
  // Beyond ten million comparisons the search ends without an answer.
  const std::string given(60, 'a');
  std::vector<std::string> known(2'000, std::string(30, 'a') + std::string(30, 'b'));
  known.push_back(given + "c");
  CHECK(suggestion(given, known) == " (did you mean '" + given + "c'?)");
  known.insert(known.begin(), 2'000, known.front());
  CHECK(suggestion(given, known).empty());
}
