#include "base/fields.h"

#include "support/catch.h"

using namespace lmzoo;

namespace {

enum class Color { red, dark_blue };

struct Inner {
  double rate = 0.5;
  static constexpr void fields(auto& self, auto& visit) { visit("rate", self.rate, "a rate", between(0, 1)); }
};

struct Outer {
  bool on = true;
  int64_t count = 3;
  std::string text = "x";
  Color color = Color::red;
  std::optional<int64_t> limit;
  std::vector<Inner> parts{Inner{}, Inner{0.25}};
  Inner inner{};
  static constexpr void fields(auto& self, auto& visit) {
    visit("on", self.on, "a switch");
    visit("count", self.count, "a count", at_least(1));
    visit("text", self.text, "a text");
    visit("color", self.color, "a color");
    visit("limit", self.limit, "optional");
    visit("parts", self.parts, "a list");
    visit("inner", self.inner, "a group");
  }
};

// Writes "name=value " for everything it meets.
struct Printer final : FieldVisitor {
  std::string out;
  void put(const FieldInfo& info, const std::string& value) {
    out += std::string(info.name) + "=" + value + " ";
  }
  void boolean(const FieldInfo& info, bool& value) override { put(info, value ? "true" : "false"); }
  void integer(const FieldInfo& info, int64_t& value) override { put(info, std::to_string(value)); }
  void real(const FieldInfo& info, double& value) override { put(info, fmt::format("{}", value)); }
  void text(const FieldInfo& info, std::string& value) override { put(info, value); }
  void choice(const FieldInfo& info, ChoiceRef& value) override { put(info, std::string(value.get())); }
  void optional(const FieldInfo& info, OptionalRef& value) override {
    if (value.has_value()) {
      value.visit(*this, info);
    } else {
      put(info, "none");
    }
  }
  void list(const FieldInfo& info, ListRef& value) override {
    for (size_t i = 0; i < value.size(); ++i) {
      value.visit(i, *this, info);
    }
  }
  void group(const FieldInfo& info, GroupRef& value) override {
    out += std::string(info.name) + "{ ";
    value.visit(*this);
    out += "} ";
  }
};

}  // namespace

template <>
struct lmzoo::EnumNames<Color> {
  static constexpr std::pair<Color, std::string_view> values[] = {{Color::red, "red"},
                                                                  {Color::dark_blue, "dark-blue"}};
};

TEST_CASE("a visitor meets every kind of field once, in order") {
  Outer options;
  Printer printer;
  visit_fields(options, printer);
  CHECK(
      printer.out ==
      "on=true count=3 text=x color=red limit=none parts{ rate=0.5 } parts{ rate=0.25 } inner{ rate=0.5 } ");
}

TEST_CASE("an enum is set by a known name only") {
  Color color = Color::red;
  fields_detail::EnumRef<Color> ref(color);
  CHECK(ref.set("dark-blue"));
  CHECK(color == Color::dark_blue);
  CHECK_FALSE(ref.set("blue"));
  CHECK(color == Color::dark_blue);
}

TEST_CASE("copies of type-erased options are independent, and a wrong type is refused") {
  AnyOptions first(Inner{0.125});
  const AnyOptions second = first;
  first = AnyOptions(Inner{0.75});
  CHECK(second.as<Inner>().rate == 0.125);
  CHECK(first.as<Inner>().rate == 0.75);
  CHECK_THROWS_AS(first.as<Outer>(), std::logic_error);
}

TEST_CASE("ranges say what is legal") {
  CHECK(between(0, 1).contains(1));
  CHECK_FALSE(half_open(0, 1).contains(1));
  CHECK_FALSE(more_than(0).contains(0));
  CHECK(to_string(half_open(0, 1)) == "in [0, 1)");
  CHECK(to_string(at_least(1)) == "at least 1");
}
