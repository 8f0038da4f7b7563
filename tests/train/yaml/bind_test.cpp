#include "train/yaml/bind.h"

#include "support/catch.h"

using namespace lmzoo;

namespace {

enum class Color { red, dark_blue };

struct Part {
  double rate = 0.5;
  std::optional<int64_t> limit{};
  static constexpr void fields(auto& self, auto& visit) {
    visit("rate", self.rate, "a rate", inside(0, 1));
    visit("limit", self.limit, "a limit", at_least(1));
  }
  bool operator==(const Part&) const = default;
};

struct Whole {
  bool on = false;
  int64_t count = 3;
  std::string text = "x";
  Color color = Color::red;
  std::vector<std::string> names{};
  std::vector<Part> parts{};
  Part part{};
  std::optional<Part> extra{};
  static constexpr void fields(auto& self, auto& visit) {
    visit("on", self.on, "a switch");
    visit("count", self.count, "a count", between(1, 10));
    visit("text", self.text, "a text");
    visit("color", self.color, "a color");
    visit("names", self.names, "a list");
    visit("parts", self.parts, "groups");
    visit("part", self.part, "a group");
    visit("extra", self.extra, "an optional group");
  }
  bool operator==(const Whole&) const = default;
};

Whole bound(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  YamlNode root = parse_yaml(yaml, "f.yaml");
  for (const std::string& argument : overrides) {
    apply_override(root, parse_override(argument));
  }
  Whole whole;
  KeyPlaces places;
  read_fields(whole, root, places);
  return whole;
}

}  // namespace

template <>
struct lmzoo::EnumNames<Color> {
  static constexpr std::pair<Color, std::string_view> values[] = {{Color::red, "red"},
                                                                  {Color::dark_blue, "dark-blue"}};
};

TEST_CASE("what a document says replaces the defaults, and the rest stays") {
  const Whole whole = bound(
      "on: true\ncount: 7\ntext: 12\ncolor: dark-blue\nnames: [a, 'b c']\nparts: [{rate: 0.25}, {limit: 4}]\n"
      "part: {rate: 1e-3}\n");
  CHECK(whole.on);
  CHECK(whole.count == 7);
  CHECK(whole.text == "12");
  CHECK(whole.color == Color::dark_blue);
  CHECK(whole.names == std::vector<std::string>{"a", "b c"});
  CHECK((whole.parts == std::vector<Part>{{.rate = 0.25, .limit = {}}, {.rate = 0.5, .limit = 4}}));
  CHECK(whole.part.rate == 0.001);
  CHECK_FALSE(whole.extra.has_value());
  CHECK(bound("count: +2").count == 2);
  CHECK(bound("extra: {limit: 2}").extra == Part{.rate = 0.5, .limit = 2});
  CHECK(bound("extra: null").extra == std::nullopt);
}

TEST_CASE("an error of reading says where, which key, what is wrong and what is legal") {
  const auto [yaml, message] = GENERATE(table<std::string, std::string>({
      {"on: 1", "f.yaml:1:5: on: expected true or false, got '1'"},
      {"on: yes", "f.yaml:1:5: on: expected true or false, got 'yes'"},
      {"count: many", "f.yaml:1:8: count: expected a whole number, got 'many'"},
      {"count: 1.5", "f.yaml:1:8: count: expected a whole number, got '1.5'"},
      {"count: '4'", "f.yaml:1:8: count: expected a whole number, got \"4\" (quoted, so it is text)"},
      {"count: [4]", "f.yaml:1:8: count: expected a whole number, got a list"},
      {"count:", "f.yaml:1:1: count: expected a whole number, got nothing"},
      {"count: 11", "f.yaml:1:8: count: is 11, but must be in [1, 10]"},
      {"count: 9223372036854775808",
       "f.yaml:1:8: count: the whole number '9223372036854775808' is too large"},
      {"text: {a: 1}", "f.yaml:1:7: text: expected text, got a mapping"},
      {"text:", "f.yaml:1:1: text: expected text, got nothing; write \"\" for an empty text"},
      {"color: blue", "f.yaml:1:8: color: no such choice 'blue'; legal: red, dark-blue"},
      {"color: redd",
       "f.yaml:1:8: color: no such choice 'redd'; legal: red, dark-blue (did you mean 'red'?)"},
      {"color: []", "f.yaml:1:8: color: expected one of red, dark-blue, got a list"},
      {"names: a", "f.yaml:1:8: names: expected a list, as in [a, b], got 'a'"},
      {"names: [a, [b]]", "f.yaml:1:12: names.1: expected text, got a list"},
      {"part:\n  rate: .nan", "f.yaml:2:9: part.rate: expected a finite number, got '.nan'"},
      {"part:\n  rate: -inf", "f.yaml:2:9: part.rate: expected a finite number, got '-inf'"},
      {"part:\n  rate: 1e999", "f.yaml:2:9: part.rate: the number '1e999' is too large or too close to zero"},
      {"part:\n  rate: 1", "f.yaml:2:9: part.rate: is 1, but must be in (0, 1)"},
      {"part:\n  rate: 0.5x", "f.yaml:2:9: part.rate: expected a number, got '0.5x'"},
      {"part: 3", "f.yaml:1:7: part: expected keys with values, got '3'"},
      {"part: {limit: 0}", "f.yaml:1:15: part.limit: is 0, but must be at least 1"},
      {"parts: [{rate: 2}]", "f.yaml:1:16: parts.0.rate: is 2, but must be in (0, 1)"},
      {"cuont: 2",
       "f.yaml:1:1: cuont: unknown key; legal: on, count, text, color, names, parts, part, extra (did you "
       "mean 'count'?)"},
      {"rate: 2",
       "f.yaml:1:1: rate: unknown key; legal: on, count, text, color, names, parts, part, extra (did you "
       "mean "
       "'part.rate'?)"},
      {"part: {color: red}",
       "f.yaml:1:8: part.color: unknown key; legal: rate, limit (did you mean 'color'?)"},
      {"[1]", "f.yaml:1:1: expected keys with values, got a list"},
  }));
  CHECK_THROWS_WITH(bound(yaml), message);
}

TEST_CASE("a flag overrides any leaf, and an error names the flag") {
  CHECK(bound("count: 2", {"count=5"}).count == 5);
  CHECK(bound("count: 2", {"count=5", "count=6"}).count == 6);
  CHECK(bound("{}", {"part.rate=0.125"}).part.rate == 0.125);
  CHECK(bound("{}", {"names=[a, b=c]"}).names == std::vector<std::string>{"a", "b=c"});
  CHECK(bound("names: [a, b]", {"names.1=c"}).names == std::vector<std::string>{"a", "c"});
  CHECK(bound("text: y", {"text="}).text.empty());
  CHECK(bound("extra: {limit: 2}", {"extra=null"}).extra == std::nullopt);
  CHECK_THROWS_WITH(bound("{}", {"part.rate=2"}), "--set part.rate: part.rate: is 2, but must be in (0, 1)");
  CHECK_THROWS_WITH(bound("{}", {"part.rte=2"}),
                    "--set part.rte: part.rte: unknown key; legal: rate, limit (did you mean 'rate'?)");
  CHECK_THROWS_WITH(bound("names: [a]", {"names.1=b"}),
                    "--set names.1: '1' is no item of a list of 1; items count from 0");
  CHECK_THROWS_WITH(bound("{}", {"count"}), "--set count: expected KEY=VALUE, as in --set train.steps=100");
  CHECK_THROWS_WITH(bound("{}", {"count=[1"}), Catch::StartsWith("--set count"));
}

TEST_CASE("dumped options are complete and read back the same") {
  Whole whole;
  whole.text = "null";
  whole.color = Color::dark_blue;
  whole.names = {"a: b", "", "7"};
  whole.parts = {{.rate = 1.0 / 3, .limit = 5}, {}};
  whole.extra = Part{.rate = 1e-300, .limit = {}};
  const std::string yaml = to_yaml(dump_fields(whole));
  CHECK(bound(yaml) == whole);
  const YamlNode defaults = dump_fields(Whole{});
  CHECK(defaults.entries.size() == 8);
  CHECK(bound(to_yaml(defaults)) == Whole{});
}

TEST_CASE("the schema tells types, ranges, names, defaults and documentation") {
  Whole whole;
  fields_detail::StructRef<Whole> ref(whole);
  const Json schema = schema_of(ref);
  CHECK(schema["additionalProperties"] == false);
  const Json& fields = schema["properties"];
  CHECK(fields.size() == 8);
  CHECK(fields["count"] == Json{{"type", "integer"},
                                {"default", 3},
                                {"minimum", 1.0},
                                {"maximum", 10.0},
                                {"description", "a count"}});
  CHECK(fields["color"]["enum"] == Json{"red", "dark-blue"});
  CHECK(fields["part"]["properties"]["rate"]["exclusiveMaximum"] == 1.0);
  CHECK(fields["parts"]["items"]["properties"]["limit"]["anyOf"][1] == Json{{"type", "null"}});
}

TEST_CASE("an error of a part that knows no YAML is placed at the key that it begins with") {
  Whole whole;
  KeyPlaces places;
  read_fields(whole, parse_yaml("count: 4\npart:\n  rate: 0.1", "f.yaml"), places);
  const auto failing = [&](const std::string& key, const std::string& message) {
    places.locate(key, [&]() -> int { throw InputError(message); });
  };
  CHECK_THROWS_WITH(failing("part", "rate is too low"), "f.yaml:3:9: part.rate: is too low");
  CHECK_THROWS_WITH(failing("part", "count is too low"), "f.yaml:1:8: count: is too low");
  CHECK_THROWS_WITH(failing("part", "limit is missing"), "f.yaml:3:3: part.limit: is missing");
  CHECK_THROWS_WITH(failing("part.rate", "rate: too low"), "f.yaml:3:9: part.rate: too low");
  CHECK_THROWS_WITH(failing("part", "nothing fits"), "f.yaml:3:3: part: nothing fits");
  CHECK_THROWS_WITH(places.locate("part",
                                  [&]() -> int {
                                    throw InputError({"g.txt", 2, 0}, "broken");
                                  }),
                    "g.txt:2: broken");
}
