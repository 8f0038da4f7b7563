#include "text/class_order.h"

#include "support/catch.h"
#include "support/errors.h"

using namespace lmzoo;

TEST_CASE("classes that are numbers stand in the order of their values, others in that of their letters") {
  using Names = std::vector<std::string>;
  CHECK(ordered_classes({"10", "2", "0", "1"}) == Names{"0", "1", "2", "10"});
  CHECK(ordered_classes({"-1", "0.5", "1e1", "2"}) == Names{"-1", "0.5", "2", "1e1"});
  CHECK(ordered_classes({"10", "2", "b", "a"}) == Names{"10", "2", "a", "b"});
  CHECK(ordered_classes({}).empty());
}

TEST_CASE("one class that is written in two ways is refused") {
  const auto refused = [](std::vector<std::string> names) {
    return test::error_of([&] { ordered_classes(std::move(names)); });
  };
  CHECK(refused({"1", "0", "1.0"}) == "the labels '1' and '1.0' are the same number; write them in one way");
  CHECK_THAT(refused({"1", " 1"}), Catch::Contains("same number"));
  CHECK(refused({"pos", "neg", "pos "}) ==
        "the labels 'pos' and 'pos ' are the same text but for white space; write them in one way");
  CHECK(refused({"pos", "Pos"}) == "no error");
}
