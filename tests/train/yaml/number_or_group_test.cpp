// Options that are a number or, where that does not say enough, a group.
#include "objectives/parts/rate.h"
#include "support/catch.h"
#include "train/yaml/bind.h"

using namespace lmzoo;

namespace {

struct MaskedOptions {
  Rate rate = 0.15;
  static constexpr void fields(auto& self, auto& visit) { visit("rate", self.rate, "a rate", inside(0, 1)); }
};

MaskedOptions read_masked(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  YamlNode root = parse_yaml(yaml, "f.yaml");
  for (const std::string& argument : overrides) {
    apply_override(root, parse_override(argument));
  }
  MaskedOptions options;
  KeyPlaces places;
  read_fields(options, root, places);
  return options;
}

std::string written(MaskedOptions options) { return to_yaml(dump_fields(options)); }

}  // namespace

TEST_CASE("a number or a group is read, overridden, and dumped as it was given") {
  CHECK(read_masked("{}").rate.at({}) == 0.15);
  CHECK(read_masked("rate: 0.4").rate.at({}) == 0.4);
  const MaskedOptions falls = read_masked("rate: {from: 0.4, to: 0.2}");
  CHECK(falls.rate.at({.step = 1, .steps = 10}) == 0.4);
  CHECK(falls.rate.at({.evaluates = true}) == Approx(0.2));
  CHECK(read_masked("rate: {from: 0.4}", {"rate=0.25"}).rate.at({}) == 0.25);
  CHECK(read_masked("rate: {from: 0.4}", {"rate.from=0.35"}).rate.at({}) == 0.35);
  CHECK(written(read_masked("rate: 0.4")) == "rate: 0.4\n");
  CHECK(written(falls) == written(read_masked(written(falls))));
  CHECK_THAT(written(falls), Catch::Contains("from: 0.4") && Catch::Contains("to: 0.2"));
}

TEST_CASE("the schema of a number or a group takes either") {
  MaskedOptions options;
  fields_detail::StructRef<MaskedOptions> ref(options);
  const Json schema = schema_of(ref)["properties"]["rate"];
  REQUIRE(schema["anyOf"].size() == 2);
  CHECK(schema["anyOf"][0]["default"] == 0.15);
  CHECK(schema["anyOf"][0]["exclusiveMaximum"] == 1.0);
  CHECK(schema["anyOf"][1]["properties"].contains("over"));
  CHECK(schema["description"] == "a rate");
  CHECK(options.rate.at({}) == 0.15);  // as it was
}

TEST_CASE("a number or group is refused by the rules of both") {
  CHECK_THROWS_WITH(read_masked("rate: 2"), "f.yaml:1:7: rate: is 2, but must be in (0, 1)");
  CHECK_THROWS_WITH(read_masked("rate: {from: 2}"), "f.yaml:1:14: rate.from: is 2, but must be in (0, 1)");
  CHECK_THROWS_WITH(
      read_masked("rate: {form: 0.2}"),
      Catch::Contains("rate.form: unknown key; legal: from, to, over, steps (did you mean 'from'?)"));
  CHECK_THROWS_WITH(read_masked("rate: [1]"), "f.yaml:1:7: rate: expected a number, got a list");
}
